"""What providers tell us, over HTTP. The paths are fixed, and no token opens them: the signature is the proof.

The door judges the raw bytes, stores what the event is about, and answers. It applies nothing: that is a job's work,
at our pace. So it is quick, a duplicate is harmless, and a delivery that was answered with 200 is in the database.

What is refused (400, 413, 429) left nothing behind but a count. What could not be stored (503) is delivered again.
"""
