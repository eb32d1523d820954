"""The explorer: a web page on loopback that reads run folders."""
