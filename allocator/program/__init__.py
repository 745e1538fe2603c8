"""From a network to a program: the item block compiled once, stamped for every item, stacked with the shared resources."""
