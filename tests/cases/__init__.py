"""Inputs on which the product once said something wrong, each made up in the form of something real."""
