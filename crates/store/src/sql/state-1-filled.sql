-- Rows of every table of version 1, for tests that migrate from it. It stays as it is when the schema moves on.
INSERT INTO flow(name, fence, worker, owner, since, sink_mark, journal_segment, journal_offset, journal_len)
    VALUES('orders', 3, NULL, 'process 1', '2026-08-01T00:00:00Z', '12345', 1, 16, 200),
          ('items', 1, 'dead', 'process 2', '2026-08-01T00:00:00Z', '0', 0, 0, 0);
INSERT INTO planned VALUES(1, '', '2026-08-01T00:00:00Z');
INSERT INTO slice VALUES(1, 1, '{}', '{}');
INSERT INTO digest(flow, slice, reading, digests) VALUES(1, 1, 1, x'0100000000000000');
INSERT INTO page VALUES(1, 1, 1, 16, 200, 2, x'01', x'01', 0), (1, 2, 1, 216, 200, 2, NULL, NULL, NULL);
INSERT INTO ledger VALUES(1, 7, zeroblob(16), NULL, NULL, 1, 0, NULL, 0), (1, 'a|b', zeroblob(16), 2, 'R', 1, 1, 'K', 0);
INSERT INTO dead_letter VALUES(1, 1, 7, 'target', 'no', 1, NULL, '2026-08-01T00:00:00Z', '{}');
INSERT INTO run VALUES(1, 1, 3, '2026-08-01T00:00:00Z', '2026-08-01T00:01:00Z', 'partial', '{}');
INSERT INTO token(account, generation, fence) VALUES('km', 0, 1);
INSERT INTO secret VALUES('km', '00000000', x'00');
