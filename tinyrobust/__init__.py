"""How robust is the quantized network that really runs on a microcontroller?"""
