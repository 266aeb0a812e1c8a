print("mhq")
