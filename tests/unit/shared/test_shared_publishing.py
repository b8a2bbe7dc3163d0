"""A message goes where every Kafka client would send it."""

from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from shared.publishing import partition_of


@given(st.binary(max_size=80), st.integers(1, 12))
def test_partition_is_that_of_the_java_client(key, partitions):
    assert partition_of(key, partitions) == (murmur2(key) & 0x7FFFFFFF) % partitions
