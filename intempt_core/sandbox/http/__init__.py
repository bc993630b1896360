"""The sandbox's HTTP side: who may come in, what is taken and how it is answered."""
