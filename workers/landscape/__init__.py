"""The landscape between solutions: what lies on the line from a model of one language to one of two.

Wu, Van Durme and Dredze (2022, arXiv 2207.05666) say that source error stays low all along that line while target error
falls. They released no code for it: what is here follows their words.
"""
