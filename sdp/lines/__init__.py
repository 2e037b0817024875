"""Typed views of the lines that are no attributes: o= c= b= t= r= z= m=."""
