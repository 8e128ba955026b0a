"""New records start a build; a deleted dataset takes its vectors and maps along."""
