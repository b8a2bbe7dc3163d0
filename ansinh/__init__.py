"""The command `ansinh`: start the stack, run the demo, import lists, drive payrolls, look at what happened."""
