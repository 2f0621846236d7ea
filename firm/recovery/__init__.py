"""Books that came back from a backup or an archive, and what they may not do until somebody has looked.

Between the backup and the loss the world went on: payments left, messages were sent, and these books do not know. So
books that were read in send nothing (the database refuses a payout's attempt too) until a lead has compared them with
the bank and says so.
"""
