"""What makes graphs run: concrete calls, ``K.function``, values, engines' own functions."""
