"""Programs that follow the endpoint contract (see README.md), built on libraries other than ours."""
