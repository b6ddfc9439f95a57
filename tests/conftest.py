pytest_plugins = ["postern_testing.fixtures"]
