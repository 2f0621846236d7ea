"""Work that is promised in one commit and done after it: an outbox of jobs in the firm's own database.

A job is a row: its kind, its payload, who asked, when it may run. `enqueue` writes it in the transaction of the change
that needs it, so that both are there or neither is. What to do for a kind is registered by those above (`Kind`);
this subject knows only rows and time.

A worker takes a due job by a conditional update and has it for a lease, which it renews while it works. A worker that
dies renews nothing: the lease runs out, and another worker takes the job again. So a job may run more than once, and
its steps must stand that, as every use case here does. A worker that comes back late finds its lease gone, and what it
says changes nothing.

A job is queued, running, and then done, refused (the business said no; trying again would not help) or parked: it kept
failing, or killed its workers, as often as its kind allows. Parking leaves an audit record, which is the alarm.

A schedule is a row that becomes a job whenever it is due; a key that is unique for ever lets it become one once.
"""
