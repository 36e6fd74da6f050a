"""An Elman RNN over whole sequences: what it means (`reference`), the kernels, the op that autograd knows."""
