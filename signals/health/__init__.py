"""The health of one machine: signs of life of its processes, its disk, its clock, its prices."""
