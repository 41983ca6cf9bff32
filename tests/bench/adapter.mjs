// Rows of `oidc-provider` in SQLite, by its adapter interface: one table, payloads as JSON.

import Database from 'better-sqlite3';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS model (
    kind TEXT NOT NULL, id TEXT NOT NULL, payload TEXT NOT NULL, grant_id TEXT, uid TEXT, user_code TEXT,
    expires_at INTEGER, consumed_at INTEGER, PRIMARY KEY (kind, id)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS model_grant ON model (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX IF NOT EXISTS model_uid ON model (kind, uid) WHERE uid IS NOT NULL;
  CREATE INDEX IF NOT EXISTS model_user_code ON model (kind, user_code) WHERE user_code IS NOT NULL;
`;

const now = () => Math.floor(Date.now() / 1000);

// A write-ahead log, flushed at checkpoints: faster, and less safe, than Achkych opens its own (which flushes commits).
export function openDatabase(path) {
  const database = new Database(path, { timeout: 10_000 });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  database.exec(SCHEMA);
  return database;
}

export function adapterOn(database) {
  const columns = 'payload, expires_at, consumed_at';
  const alive = (row) => {
    if (!row || (row.expires_at !== null && row.expires_at <= now())) return undefined;
    const payload = JSON.parse(row.payload);
    if (row.consumed_at !== null) payload.consumed = row.consumed_at;
    return payload;
  };
  const upsert = database.prepare(`
    INSERT INTO model (kind, id, payload, grant_id, uid, user_code, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (kind, id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id, uid = excluded.uid,
      user_code = excluded.user_code, expires_at = excluded.expires_at`);
  const find = database.prepare(`SELECT ${columns} FROM model WHERE kind = ? AND id = ?`);
  const findByUid = database.prepare(`SELECT ${columns} FROM model WHERE kind = ? AND uid = ?`);
  const findByUserCode = database.prepare(`SELECT ${columns} FROM model WHERE kind = ? AND user_code = ?`);
  const consume = database.prepare('UPDATE model SET consumed_at = ? WHERE kind = ? AND id = ?');
  const destroy = database.prepare('DELETE FROM model WHERE kind = ? AND id = ?');
  const revoke = database.prepare('DELETE FROM model WHERE grant_id = ?');

  return class SqliteAdapter {
    constructor(kind) {
      this.kind = kind;
    }

    async upsert(id, payload, expiresIn) {
      const { grantId = null, uid = null, userCode = null } = payload;
      const until = expiresIn ? now() + expiresIn : null;
      upsert.run(this.kind, id, JSON.stringify(payload), grantId, uid, userCode, until);
    }

    async find(id) {
      return alive(find.get(this.kind, id));
    }

    async findByUid(uid) {
      return alive(findByUid.get(this.kind, uid));
    }

    async findByUserCode(userCode) {
      return alive(findByUserCode.get(this.kind, userCode));
    }

    async consume(id) {
      consume.run(now(), this.kind, id);
    }

    async destroy(id) {
      destroy.run(this.kind, id);
    }

    async revokeByGrantId(grantId) {
      revoke.run(grantId);
    }
  };
}
