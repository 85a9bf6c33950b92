# SPDX-License-Identifier: ISC
"""Peers that nobody here wrote: Postfix on either side, its load tools."""
import peers


def test_postgres_keeps_what_it_is_told(postgres):
    postgres.sql("CREATE TABLE kept (address text); INSERT INTO kept VALUES ('ann@example.com');")
    postgres.stop()
    assert postgres.psql("SELECT 1").returncode != 0
    postgres.start()
    assert postgres.sql("SELECT address, count(*) FROM kept GROUP BY 1") == "ann@example.com|1"


def test_postfix_takes_and_delivers(make_postfix):
    postfix = make_postfix().start()
    peers.run_smtp_source(postfix.port, "-m", "3", "-f", "a@near.example", "-t", "friend@far.example")
    assert b"Delivered-To: friend@far.example" in postfix.wait_mail("friend@far.example", 3)[0]
