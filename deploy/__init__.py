"""Everything that puts the product somewhere: here, in containers, on Kubernetes."""
