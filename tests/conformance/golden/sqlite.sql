CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE journal (
  revision INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, load TEXT, part INTEGER NOT NULL, last INTEGER NOT NULL,
  "by" TEXT NOT NULL, at INTEGER NOT NULL, content BLOB NOT NULL, digest BLOB NOT NULL, "rows" INTEGER NOT NULL,
  version INTEGER NOT NULL DEFAULT 1, redacted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX journal_visible ON journal (revision) WHERE last;
CREATE TABLE payload (
  revision INTEGER NOT NULL, op TEXT NOT NULL, kind TEXT NOT NULL, data BLOB NOT NULL, UNIQUE (revision, op, kind)
) STRICT;
CREATE TABLE redaction (
  number INTEGER PRIMARY KEY, erasure TEXT NOT NULL, revision INTEGER NOT NULL, op TEXT NOT NULL, kind TEXT NOT NULL,
  "rows" INTEGER NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, as_of INTEGER NOT NULL, at INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE TABLE log (
  name TEXT NOT NULL, number INTEGER NOT NULL, leaf BLOB NOT NULL, PRIMARY KEY (name, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE blob (name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE secret (name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE "organisation" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "stub" INTEGER, "id" TEXT, "uscc" TEXT, "name_zh" TEXT, "name_en" TEXT, "tier" INTEGER, "role" TEXT, "region" TEXT, "industry" TEXT, "parent" TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE "site" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "stub" INTEGER, "id" TEXT, "organisation" TEXT, "name_zh" TEXT, "name_en" TEXT, "region" TEXT, "latitude" REAL, "longitude" REAL, "recovery_days" REAL) STRICT, WITHOUT ROWID;
CREATE TABLE "consortium" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "id" TEXT, "leader" TEXT, "name_zh" TEXT, "name_en" TEXT, "products" TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE "member" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "consortium" TEXT, "organisation" TEXT, "role" TEXT, "tier" INTEGER, "since" INTEGER, "until" INTEGER, "groups" TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE "part" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "stub" INTEGER, "number" TEXT, "issuer" TEXT, "name_zh" TEXT, "name_en" TEXT, "part_class" TEXT, "chain_level" TEXT, "foundation_class" TEXT, "criticality" TEXT, "age_unit" TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE "part_alias" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "organisation" TEXT, "number" TEXT, "drawing_no" TEXT, "part" TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE "contains" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "parent" TEXT, "child" TEXT, "find_no" TEXT, "quantity" REAL, "unit" TEXT, "group" TEXT, "k" INTEGER, "redundancy" TEXT, "duty" REAL, "valid_from" INTEGER, "valid_to" INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE "supplies" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "part" TEXT, "supplier" TEXT, "customer" TEXT, "site" TEXT, "share" REAL, "status" TEXT, "alternative_exists" INTEGER, "lead_time_days" REAL, "lead_time_sd_days" REAL, "price" REAL, "currency" TEXT, "capacity" REAL, "inventory" REAL, "recovery_days" REAL, "valid_from" INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE "mechanism" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "stub" INTEGER, "code" TEXT, "parent" TEXT, "name_zh" TEXT, "name_en" TEXT, "typical_beta" REAL) STRICT, WITHOUT ROWID;
CREATE TABLE "mode" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "stub" INTEGER, "part" TEXT, "mode" TEXT, "name_zh" TEXT, "name_en" TEXT, "mechanism" TEXT, "severity" INTEGER, "repair_hours" REAL) STRICT, WITHOUT ROWID;
CREATE TABLE "propagation" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "upstream_part" TEXT, "mechanism" TEXT, "downstream_part" TEXT, "sensitivity" REAL) STRICT, WITHOUT ROWID;
CREATE TABLE "lot" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "stub" INTEGER, "part" TEXT, "maker" TEXT, "code" TEXT, "produced_on" INTEGER, "quantity" REAL, "individual" INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE "lot_genealogy" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "from_part" TEXT, "from_maker" TEXT, "from_lot" TEXT, "into_part" TEXT, "into_maker" TEXT, "into_lot" TEXT, "quantity" REAL) STRICT, WITHOUT ROWID;
CREATE INDEX "lot_genealogy_into_lot" ON "lot_genealogy" ("into_lot");
CREATE TABLE "shipment" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "part" TEXT, "maker" TEXT, "lot" TEXT, "shipped_on" INTEGER, "quantity" INTEGER, "region" TEXT, "usage_per_month" REAL) STRICT, WITHOUT ROWID;
CREATE TABLE "life_record" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "id" TEXT, "serial" TEXT, "part" TEXT, "maker" TEXT, "lot" TEXT, "event" TEXT, "entry" REAL, "age" REAL, "age_to" REAL, "unit" TEXT, "count" INTEGER, "mode" TEXT, "mechanism" TEXT, "symptom" TEXT, "cause" TEXT, "effect" TEXT, "severity" INTEGER, "relevant" INTEGER, "product" TEXT, "region" TEXT, "version" TEXT, "origin" TEXT, "stage" TEXT, "started_on" INTEGER, "observed_on" INTEGER, "downtime_hours" REAL, "repair_hours" REAL, "cost" REAL) STRICT, WITHOUT ROWID;
CREATE TABLE "declared_value" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "part" TEXT, "maker" TEXT, "mode" TEXT, "metric" TEXT, "value" REAL, "unit" TEXT, "shape" REAL, "low" REAL, "high" REAL, "confidence" REAL, "condition" TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE "inspection" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "report_no" TEXT, "part" TEXT, "maker" TEXT, "lot" TEXT, "inspected_on" INTEGER, "received" INTEGER, "checked" INTEGER, "rejected" INTEGER, "ppm" REAL, "mode" TEXT, "disposition" TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE "reliability_test" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "report_no" TEXT, "part" TEXT, "maker" TEXT, "lot" TEXT, "test" TEXT, "standard" TEXT, "condition" TEXT, "units" INTEGER, "duration" REAL, "unit" TEXT, "failures" INTEGER, "acceleration" REAL, "mode" TEXT, "result" TEXT, "tested_on" INTEGER, "laboratory" TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE "fmea_item" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "part" TEXT, "function" TEXT, "mode" TEXT, "effect" TEXT, "severity" INTEGER, "severity_class" TEXT, "cause" TEXT, "occurrence" INTEGER, "prevention" TEXT, "detection_control" TEXT, "detection" INTEGER, "rpn" INTEGER, "priority" TEXT, "action" TEXT, "due_on" INTEGER, "revised_on" INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE "problem" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "id" TEXT, "part" TEXT, "maker" TEXT, "lot" TEXT, "customer" TEXT, "problem" TEXT, "mode" TEXT, "quantity" INTEGER, "containment" TEXT, "root_cause" TEXT, "escape_cause" TEXT, "corrective_action" TEXT, "prevention" TEXT, "state" TEXT, "opened_on" INTEGER, "closed_on" INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE "change_notice" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "id" TEXT, "part" TEXT, "maker" TEXT, "category" TEXT, "description" TEXT, "reason" TEXT, "impact" TEXT, "announced_on" INTEGER, "effective_on" INTEGER, "first_lot" TEXT, "last_order_on" INTEGER, "last_delivery_on" INTEGER, "replacement" TEXT, "state" TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE "approval" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "supplier" TEXT, "customer" TEXT, "part" TEXT, "category" TEXT, "status" TEXT, "grade" TEXT, "certificates" TEXT, "valid_from" INTEGER, "valid_to" INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE "upload" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "id" TEXT, "load" TEXT, "file" TEXT, "sha256" TEXT, "kind" TEXT, "rows" INTEGER, "taken" INTEGER, "refused" INTEGER, "at" INTEGER, "by" TEXT, "state" TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE "raw_row" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "source" TEXT, "number" INTEGER, "data" TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE "agreement" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "id" TEXT, "version" INTEGER, "grantee" TEXT, "records" TEXT, "aspects" TEXT, "purposes" TEXT, "start" INTEGER, "end" INTEGER, "onward" INTEGER, "at_end" TEXT, "mode" TEXT, "state" TEXT, "proposed_by" TEXT, "changed_at" INTEGER, "note" TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE "identity_request" (key TEXT PRIMARY KEY, "owner" TEXT, "upload" TEXT, "row" INTEGER, "extra" TEXT, "id" TEXT, "asked" TEXT, "requester" TEXT, "pseudonym" TEXT, "subject" TEXT, "purpose" TEXT, "reason" TEXT, "state" TEXT, "at" INTEGER, "until" INTEGER, "changed_at" INTEGER) STRICT, WITHOUT ROWID;

CREATE TEMP TABLE picked (key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TEMP TABLE seen (key TEXT PRIMARY KEY, depth INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX temp.seen_depth ON seen (depth);

-- organisation
INSERT OR REPLACE INTO "organisation" ("key", "owner", "upload", "row", "extra", "stub", "id", "uscc", "name_zh", "name_en", "tier", "role", "region", "industry", "parent") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "organisation" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "stub", "id", "uscc", "name_zh", "name_en", "tier", "role", "region", "industry", "parent" FROM "organisation" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."stub", t."id", t."uscc", t."name_zh", t."name_en", t."tier", t."role", t."region", t."industry", t."parent" FROM temp.picked AS p CROSS JOIN "organisation" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "organisation" AS t WHERE t.key = p.key)
SELECT key FROM "organisation" WHERE "parent" IN temp.picked
SELECT key FROM "site" WHERE "organisation" IN temp.picked
SELECT key FROM "consortium" WHERE "leader" IN temp.picked
SELECT key FROM "member" WHERE "organisation" IN temp.picked
SELECT key FROM "part" WHERE "issuer" IN temp.picked
SELECT key FROM "part_alias" WHERE "organisation" IN temp.picked
SELECT key FROM "supplies" WHERE "supplier" IN temp.picked OR "customer" IN temp.picked
SELECT key FROM "lot" WHERE "maker" IN temp.picked
SELECT key FROM "lot_genealogy" WHERE "from_maker" IN temp.picked OR "into_maker" IN temp.picked
SELECT key FROM "shipment" WHERE "maker" IN temp.picked
SELECT key FROM "life_record" WHERE "maker" IN temp.picked
SELECT key FROM "declared_value" WHERE "maker" IN temp.picked
SELECT key FROM "inspection" WHERE "maker" IN temp.picked
SELECT key FROM "reliability_test" WHERE "maker" IN temp.picked OR "laboratory" IN temp.picked
SELECT key FROM "problem" WHERE "maker" IN temp.picked OR "customer" IN temp.picked
SELECT key FROM "change_notice" WHERE "maker" IN temp.picked
SELECT key FROM "approval" WHERE "supplier" IN temp.picked OR "customer" IN temp.picked
SELECT key FROM "agreement" WHERE "proposed_by" IN temp.picked
SELECT key FROM "identity_request" WHERE "asked" IN temp.picked OR "requester" IN temp.picked

-- site
INSERT OR REPLACE INTO "site" ("key", "owner", "upload", "row", "extra", "stub", "id", "organisation", "name_zh", "name_en", "region", "latitude", "longitude", "recovery_days") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "site" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "stub", "id", "organisation", "name_zh", "name_en", "region", "latitude", "longitude", "recovery_days" FROM "site" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."stub", t."id", t."organisation", t."name_zh", t."name_en", t."region", t."latitude", t."longitude", t."recovery_days" FROM temp.picked AS p CROSS JOIN "site" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "site" AS t WHERE t.key = p.key)
SELECT key FROM "supplies" WHERE "site" IN temp.picked

-- consortium
INSERT OR REPLACE INTO "consortium" ("key", "owner", "upload", "row", "extra", "id", "leader", "name_zh", "name_en", "products") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "consortium" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "id", "leader", "name_zh", "name_en", "products" FROM "consortium" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."id", t."leader", t."name_zh", t."name_en", t."products" FROM temp.picked AS p CROSS JOIN "consortium" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "consortium" AS t WHERE t.key = p.key)
SELECT key FROM "member" WHERE "consortium" IN temp.picked

-- member
INSERT OR REPLACE INTO "member" ("key", "owner", "upload", "row", "extra", "consortium", "organisation", "role", "tier", "since", "until", "groups") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "member" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "consortium", "organisation", "role", "tier", "since", "until", "groups" FROM "member" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."consortium", t."organisation", t."role", t."tier", t."since", t."until", t."groups" FROM temp.picked AS p CROSS JOIN "member" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "member" AS t WHERE t.key = p.key)
CREATE TEMP TABLE "member_out" ("organisation", "consortium", key, PRIMARY KEY ("organisation", "consortium", key)) WITHOUT ROWID; INSERT OR IGNORE INTO temp."member_out" SELECT "organisation", "consortium", key FROM "member" WHERE "organisation" IS NOT NULL AND "consortium" IS NOT NULL ORDER BY "organisation", "consortium", key
INSERT OR IGNORE INTO temp.seen (key, depth) SELECT e."consortium", ?1 + 1 FROM temp.seen AS s CROSS JOIN temp."member_out" AS e ON e."organisation" = s.key WHERE s.depth = ?1 AND e."consortium" IS NOT NULL
SELECT e.key, e."organisation", e."consortium" FROM temp.picked AS s CROSS JOIN temp."member_out" AS e ON e."organisation" = s.key WHERE e."consortium" IS NOT NULL
INSERT OR IGNORE INTO temp.seen (key, depth) SELECT e."organisation", ?1 + 1 FROM temp.seen AS s CROSS JOIN "member" AS e ON e.key >= s.key || '/' AND e.key < s.key || '0' WHERE s.depth = ?1 AND e."organisation" IS NOT NULL
SELECT e.key, e."consortium", e."organisation" FROM temp.picked AS s CROSS JOIN "member" AS e ON e.key >= s.key || '/' AND e.key < s.key || '0' WHERE e."organisation" IS NOT NULL

-- part
INSERT OR REPLACE INTO "part" ("key", "owner", "upload", "row", "extra", "stub", "number", "issuer", "name_zh", "name_en", "part_class", "chain_level", "foundation_class", "criticality", "age_unit") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "part" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "stub", "number", "issuer", "name_zh", "name_en", "part_class", "chain_level", "foundation_class", "criticality", "age_unit" FROM "part" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."stub", t."number", t."issuer", t."name_zh", t."name_en", t."part_class", t."chain_level", t."foundation_class", t."criticality", t."age_unit" FROM temp.picked AS p CROSS JOIN "part" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "part" AS t WHERE t.key = p.key)
SELECT key FROM "part_alias" WHERE "part" IN temp.picked
SELECT key FROM "contains" WHERE "parent" IN temp.picked OR "child" IN temp.picked
SELECT key FROM "supplies" WHERE "part" IN temp.picked
SELECT key FROM "mode" WHERE "part" IN temp.picked
SELECT key FROM "propagation" WHERE "upstream_part" IN temp.picked OR "downstream_part" IN temp.picked
SELECT key FROM "lot" WHERE "part" IN temp.picked
SELECT key FROM "lot_genealogy" WHERE "from_part" IN temp.picked OR "into_part" IN temp.picked
SELECT key FROM "shipment" WHERE "part" IN temp.picked
SELECT key FROM "life_record" WHERE "part" IN temp.picked OR "product" IN temp.picked
SELECT key FROM "declared_value" WHERE "part" IN temp.picked
SELECT key FROM "inspection" WHERE "part" IN temp.picked
SELECT key FROM "reliability_test" WHERE "part" IN temp.picked
SELECT key FROM "fmea_item" WHERE "part" IN temp.picked
SELECT key FROM "problem" WHERE "part" IN temp.picked
SELECT key FROM "change_notice" WHERE "part" IN temp.picked OR "replacement" IN temp.picked
SELECT key FROM "approval" WHERE "part" IN temp.picked

-- part_alias
INSERT OR REPLACE INTO "part_alias" ("key", "owner", "upload", "row", "extra", "organisation", "number", "drawing_no", "part") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "part_alias" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "organisation", "number", "drawing_no", "part" FROM "part_alias" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."organisation", t."number", t."drawing_no", t."part" FROM temp.picked AS p CROSS JOIN "part_alias" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "part_alias" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')
INSERT OR IGNORE INTO temp.seen (key, depth) SELECT e."part", ?1 + 1 FROM temp.seen AS s CROSS JOIN "part_alias" AS e ON e.key >= s.key || '/' AND e.key < s.key || '0' WHERE s.depth = ?1 AND e."part" IS NOT NULL
SELECT e.key, e."organisation", e."part" FROM temp.picked AS s CROSS JOIN "part_alias" AS e ON e.key >= s.key || '/' AND e.key < s.key || '0' WHERE e."part" IS NOT NULL
CREATE TEMP TABLE "part_alias_in" ("part", "organisation", key, PRIMARY KEY ("part", "organisation", key)) WITHOUT ROWID; INSERT OR IGNORE INTO temp."part_alias_in" SELECT "part", "organisation", key FROM "part_alias" WHERE "part" IS NOT NULL AND "organisation" IS NOT NULL ORDER BY "part", "organisation", key
INSERT OR IGNORE INTO temp.seen (key, depth) SELECT e."organisation", ?1 + 1 FROM temp.seen AS s CROSS JOIN temp."part_alias_in" AS e ON e."part" = s.key WHERE s.depth = ?1 AND e."organisation" IS NOT NULL
SELECT e.key, e."part", e."organisation" FROM temp.picked AS s CROSS JOIN temp."part_alias_in" AS e ON e."part" = s.key WHERE e."organisation" IS NOT NULL

-- contains
INSERT OR REPLACE INTO "contains" ("key", "owner", "upload", "row", "extra", "parent", "child", "find_no", "quantity", "unit", "group", "k", "redundancy", "duty", "valid_from", "valid_to") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "contains" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "parent", "child", "find_no", "quantity", "unit", "group", "k", "redundancy", "duty", "valid_from", "valid_to" FROM "contains" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."parent", t."child", t."find_no", t."quantity", t."unit", t."group", t."k", t."redundancy", t."duty", t."valid_from", t."valid_to" FROM temp.picked AS p CROSS JOIN "contains" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "contains" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')
INSERT OR IGNORE INTO temp.seen (key, depth) SELECT e."child", ?1 + 1 FROM temp.seen AS s CROSS JOIN "contains" AS e ON e.key >= s.key || '/' AND e.key < s.key || '0' WHERE s.depth = ?1 AND e."child" IS NOT NULL
SELECT e.key, e."parent", e."child" FROM temp.picked AS s CROSS JOIN "contains" AS e ON e.key >= s.key || '/' AND e.key < s.key || '0' WHERE e."child" IS NOT NULL
CREATE TEMP TABLE "contains_in" ("child", "parent", key, PRIMARY KEY ("child", "parent", key)) WITHOUT ROWID; INSERT OR IGNORE INTO temp."contains_in" SELECT "child", "parent", key FROM "contains" WHERE "child" IS NOT NULL AND "parent" IS NOT NULL ORDER BY "child", "parent", key
INSERT OR IGNORE INTO temp.seen (key, depth) SELECT e."parent", ?1 + 1 FROM temp.seen AS s CROSS JOIN temp."contains_in" AS e ON e."child" = s.key WHERE s.depth = ?1 AND e."parent" IS NOT NULL
SELECT e.key, e."child", e."parent" FROM temp.picked AS s CROSS JOIN temp."contains_in" AS e ON e."child" = s.key WHERE e."parent" IS NOT NULL

-- supplies
INSERT OR REPLACE INTO "supplies" ("key", "owner", "upload", "row", "extra", "part", "supplier", "customer", "site", "share", "status", "alternative_exists", "lead_time_days", "lead_time_sd_days", "price", "currency", "capacity", "inventory", "recovery_days", "valid_from") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "supplies" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "part", "supplier", "customer", "site", "share", "status", "alternative_exists", "lead_time_days", "lead_time_sd_days", "price", "currency", "capacity", "inventory", "recovery_days", "valid_from" FROM "supplies" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."part", t."supplier", t."customer", t."site", t."share", t."status", t."alternative_exists", t."lead_time_days", t."lead_time_sd_days", t."price", t."currency", t."capacity", t."inventory", t."recovery_days", t."valid_from" FROM temp.picked AS p CROSS JOIN "supplies" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "supplies" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')
INSERT OR IGNORE INTO temp.seen (key, depth) SELECT e."part", ?1 + 1 FROM temp.seen AS s CROSS JOIN "supplies" AS e ON e.key >= s.key || '/' AND e.key < s.key || '0' WHERE s.depth = ?1 AND e."part" IS NOT NULL
SELECT e.key, e."supplier", e."part" FROM temp.picked AS s CROSS JOIN "supplies" AS e ON e.key >= s.key || '/' AND e.key < s.key || '0' WHERE e."part" IS NOT NULL
CREATE TEMP TABLE "supplies_in" ("part", "supplier", key, PRIMARY KEY ("part", "supplier", key)) WITHOUT ROWID; INSERT OR IGNORE INTO temp."supplies_in" SELECT "part", "supplier", key FROM "supplies" WHERE "part" IS NOT NULL AND "supplier" IS NOT NULL ORDER BY "part", "supplier", key
INSERT OR IGNORE INTO temp.seen (key, depth) SELECT e."supplier", ?1 + 1 FROM temp.seen AS s CROSS JOIN temp."supplies_in" AS e ON e."part" = s.key WHERE s.depth = ?1 AND e."supplier" IS NOT NULL
SELECT e.key, e."part", e."supplier" FROM temp.picked AS s CROSS JOIN temp."supplies_in" AS e ON e."part" = s.key WHERE e."supplier" IS NOT NULL

-- mechanism
INSERT OR REPLACE INTO "mechanism" ("key", "owner", "upload", "row", "extra", "stub", "code", "parent", "name_zh", "name_en", "typical_beta") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "mechanism" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "stub", "code", "parent", "name_zh", "name_en", "typical_beta" FROM "mechanism" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."stub", t."code", t."parent", t."name_zh", t."name_en", t."typical_beta" FROM temp.picked AS p CROSS JOIN "mechanism" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "mechanism" AS t WHERE t.key = p.key)
SELECT key FROM "mechanism" WHERE "parent" IN temp.picked
SELECT key FROM "mode" WHERE "mechanism" IN temp.picked
SELECT key FROM "propagation" WHERE "mechanism" IN temp.picked
SELECT key FROM "life_record" WHERE "mechanism" IN temp.picked

-- mode
INSERT OR REPLACE INTO "mode" ("key", "owner", "upload", "row", "extra", "stub", "part", "mode", "name_zh", "name_en", "mechanism", "severity", "repair_hours") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "mode" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "stub", "part", "mode", "name_zh", "name_en", "mechanism", "severity", "repair_hours" FROM "mode" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."stub", t."part", t."mode", t."name_zh", t."name_en", t."mechanism", t."severity", t."repair_hours" FROM temp.picked AS p CROSS JOIN "mode" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "mode" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')
SELECT key FROM "life_record" WHERE "mode" IN temp.picked
SELECT key FROM "declared_value" WHERE "mode" IN temp.picked
SELECT key FROM "inspection" WHERE "mode" IN temp.picked
SELECT key FROM "reliability_test" WHERE "mode" IN temp.picked
SELECT key FROM "fmea_item" WHERE "mode" IN temp.picked
SELECT key FROM "problem" WHERE "mode" IN temp.picked

-- propagation
INSERT OR REPLACE INTO "propagation" ("key", "owner", "upload", "row", "extra", "upstream_part", "mechanism", "downstream_part", "sensitivity") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "propagation" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "upstream_part", "mechanism", "downstream_part", "sensitivity" FROM "propagation" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."upstream_part", t."mechanism", t."downstream_part", t."sensitivity" FROM temp.picked AS p CROSS JOIN "propagation" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "propagation" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')
INSERT OR IGNORE INTO temp.seen (key, depth) SELECT e."downstream_part", ?1 + 1 FROM temp.seen AS s CROSS JOIN "propagation" AS e ON e.key >= s.key || '/' AND e.key < s.key || '0' WHERE s.depth = ?1 AND e."downstream_part" IS NOT NULL
SELECT e.key, e."upstream_part", e."downstream_part" FROM temp.picked AS s CROSS JOIN "propagation" AS e ON e.key >= s.key || '/' AND e.key < s.key || '0' WHERE e."downstream_part" IS NOT NULL
CREATE TEMP TABLE "propagation_in" ("downstream_part", "upstream_part", key, PRIMARY KEY ("downstream_part", "upstream_part", key)) WITHOUT ROWID; INSERT OR IGNORE INTO temp."propagation_in" SELECT "downstream_part", "upstream_part", key FROM "propagation" WHERE "downstream_part" IS NOT NULL AND "upstream_part" IS NOT NULL ORDER BY "downstream_part", "upstream_part", key
INSERT OR IGNORE INTO temp.seen (key, depth) SELECT e."upstream_part", ?1 + 1 FROM temp.seen AS s CROSS JOIN temp."propagation_in" AS e ON e."downstream_part" = s.key WHERE s.depth = ?1 AND e."upstream_part" IS NOT NULL
SELECT e.key, e."downstream_part", e."upstream_part" FROM temp.picked AS s CROSS JOIN temp."propagation_in" AS e ON e."downstream_part" = s.key WHERE e."upstream_part" IS NOT NULL

-- lot
INSERT OR REPLACE INTO "lot" ("key", "owner", "upload", "row", "extra", "stub", "part", "maker", "code", "produced_on", "quantity", "individual") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "lot" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "stub", "part", "maker", "code", "produced_on", "quantity", "individual" FROM "lot" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."stub", t."part", t."maker", t."code", t."produced_on", t."quantity", t."individual" FROM temp.picked AS p CROSS JOIN "lot" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "lot" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')
SELECT key FROM "lot_genealogy" WHERE "from_lot" IN temp.picked OR "into_lot" IN temp.picked
SELECT key FROM "shipment" WHERE "lot" IN temp.picked
SELECT key FROM "life_record" WHERE "lot" IN temp.picked
SELECT key FROM "inspection" WHERE "lot" IN temp.picked
SELECT key FROM "reliability_test" WHERE "lot" IN temp.picked
SELECT key FROM "problem" WHERE "lot" IN temp.picked
SELECT key FROM "change_notice" WHERE "first_lot" IN temp.picked

-- lot_genealogy
INSERT OR REPLACE INTO "lot_genealogy" ("key", "owner", "upload", "row", "extra", "from_part", "from_maker", "from_lot", "into_part", "into_maker", "into_lot", "quantity") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "lot_genealogy" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "from_part", "from_maker", "from_lot", "into_part", "into_maker", "into_lot", "quantity" FROM "lot_genealogy" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."from_part", t."from_maker", t."from_lot", t."into_part", t."into_maker", t."into_lot", t."quantity" FROM temp.picked AS p CROSS JOIN "lot_genealogy" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "lot_genealogy" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')
INSERT OR IGNORE INTO temp.seen (key, depth) SELECT e."into_lot", ?1 + 1 FROM temp.seen AS s CROSS JOIN "lot_genealogy" AS e ON e.key >= s.key || '/' AND e.key < s.key || '0' WHERE s.depth = ?1 AND e."into_lot" IS NOT NULL
SELECT e.key, e."from_lot", e."into_lot" FROM temp.picked AS s CROSS JOIN "lot_genealogy" AS e ON e.key >= s.key || '/' AND e.key < s.key || '0' WHERE e."into_lot" IS NOT NULL
INSERT OR IGNORE INTO temp.seen (key, depth) SELECT e."from_lot", ?1 + 1 FROM temp.seen AS s CROSS JOIN "lot_genealogy" AS e ON e."into_lot" = s.key WHERE s.depth = ?1 AND e."from_lot" IS NOT NULL
SELECT e.key, e."into_lot", e."from_lot" FROM temp.picked AS s CROSS JOIN "lot_genealogy" AS e ON e."into_lot" = s.key WHERE e."from_lot" IS NOT NULL

-- shipment
INSERT OR REPLACE INTO "shipment" ("key", "owner", "upload", "row", "extra", "part", "maker", "lot", "shipped_on", "quantity", "region", "usage_per_month") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "shipment" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "part", "maker", "lot", "shipped_on", "quantity", "region", "usage_per_month" FROM "shipment" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."part", t."maker", t."lot", t."shipped_on", t."quantity", t."region", t."usage_per_month" FROM temp.picked AS p CROSS JOIN "shipment" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "shipment" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')

-- life_record
INSERT OR REPLACE INTO "life_record" ("key", "owner", "upload", "row", "extra", "id", "serial", "part", "maker", "lot", "event", "entry", "age", "age_to", "unit", "count", "mode", "mechanism", "symptom", "cause", "effect", "severity", "relevant", "product", "region", "version", "origin", "stage", "started_on", "observed_on", "downtime_hours", "repair_hours", "cost") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "life_record" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "id", "serial", "part", "maker", "lot", "event", "entry", "age", "age_to", "unit", "count", "mode", "mechanism", "symptom", "cause", "effect", "severity", "relevant", "product", "region", "version", "origin", "stage", "started_on", "observed_on", "downtime_hours", "repair_hours", "cost" FROM "life_record" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."id", t."serial", t."part", t."maker", t."lot", t."event", t."entry", t."age", t."age_to", t."unit", t."count", t."mode", t."mechanism", t."symptom", t."cause", t."effect", t."severity", t."relevant", t."product", t."region", t."version", t."origin", t."stage", t."started_on", t."observed_on", t."downtime_hours", t."repair_hours", t."cost" FROM temp.picked AS p CROSS JOIN "life_record" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "life_record" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')

-- declared_value
INSERT OR REPLACE INTO "declared_value" ("key", "owner", "upload", "row", "extra", "part", "maker", "mode", "metric", "value", "unit", "shape", "low", "high", "confidence", "condition") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "declared_value" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "part", "maker", "mode", "metric", "value", "unit", "shape", "low", "high", "confidence", "condition" FROM "declared_value" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."part", t."maker", t."mode", t."metric", t."value", t."unit", t."shape", t."low", t."high", t."confidence", t."condition" FROM temp.picked AS p CROSS JOIN "declared_value" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "declared_value" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')

-- inspection
INSERT OR REPLACE INTO "inspection" ("key", "owner", "upload", "row", "extra", "report_no", "part", "maker", "lot", "inspected_on", "received", "checked", "rejected", "ppm", "mode", "disposition") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "inspection" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "report_no", "part", "maker", "lot", "inspected_on", "received", "checked", "rejected", "ppm", "mode", "disposition" FROM "inspection" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."report_no", t."part", t."maker", t."lot", t."inspected_on", t."received", t."checked", t."rejected", t."ppm", t."mode", t."disposition" FROM temp.picked AS p CROSS JOIN "inspection" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "inspection" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')

-- reliability_test
INSERT OR REPLACE INTO "reliability_test" ("key", "owner", "upload", "row", "extra", "report_no", "part", "maker", "lot", "test", "standard", "condition", "units", "duration", "unit", "failures", "acceleration", "mode", "result", "tested_on", "laboratory") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "reliability_test" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "report_no", "part", "maker", "lot", "test", "standard", "condition", "units", "duration", "unit", "failures", "acceleration", "mode", "result", "tested_on", "laboratory" FROM "reliability_test" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."report_no", t."part", t."maker", t."lot", t."test", t."standard", t."condition", t."units", t."duration", t."unit", t."failures", t."acceleration", t."mode", t."result", t."tested_on", t."laboratory" FROM temp.picked AS p CROSS JOIN "reliability_test" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "reliability_test" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')

-- fmea_item
INSERT OR REPLACE INTO "fmea_item" ("key", "owner", "upload", "row", "extra", "part", "function", "mode", "effect", "severity", "severity_class", "cause", "occurrence", "prevention", "detection_control", "detection", "rpn", "priority", "action", "due_on", "revised_on") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "fmea_item" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "part", "function", "mode", "effect", "severity", "severity_class", "cause", "occurrence", "prevention", "detection_control", "detection", "rpn", "priority", "action", "due_on", "revised_on" FROM "fmea_item" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."part", t."function", t."mode", t."effect", t."severity", t."severity_class", t."cause", t."occurrence", t."prevention", t."detection_control", t."detection", t."rpn", t."priority", t."action", t."due_on", t."revised_on" FROM temp.picked AS p CROSS JOIN "fmea_item" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "fmea_item" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')

-- problem
INSERT OR REPLACE INTO "problem" ("key", "owner", "upload", "row", "extra", "id", "part", "maker", "lot", "customer", "problem", "mode", "quantity", "containment", "root_cause", "escape_cause", "corrective_action", "prevention", "state", "opened_on", "closed_on") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "problem" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "id", "part", "maker", "lot", "customer", "problem", "mode", "quantity", "containment", "root_cause", "escape_cause", "corrective_action", "prevention", "state", "opened_on", "closed_on" FROM "problem" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."id", t."part", t."maker", t."lot", t."customer", t."problem", t."mode", t."quantity", t."containment", t."root_cause", t."escape_cause", t."corrective_action", t."prevention", t."state", t."opened_on", t."closed_on" FROM temp.picked AS p CROSS JOIN "problem" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "problem" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')

-- change_notice
INSERT OR REPLACE INTO "change_notice" ("key", "owner", "upload", "row", "extra", "id", "part", "maker", "category", "description", "reason", "impact", "announced_on", "effective_on", "first_lot", "last_order_on", "last_delivery_on", "replacement", "state") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "change_notice" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "id", "part", "maker", "category", "description", "reason", "impact", "announced_on", "effective_on", "first_lot", "last_order_on", "last_delivery_on", "replacement", "state" FROM "change_notice" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."id", t."part", t."maker", t."category", t."description", t."reason", t."impact", t."announced_on", t."effective_on", t."first_lot", t."last_order_on", t."last_delivery_on", t."replacement", t."state" FROM temp.picked AS p CROSS JOIN "change_notice" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "change_notice" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')

-- approval
INSERT OR REPLACE INTO "approval" ("key", "owner", "upload", "row", "extra", "supplier", "customer", "part", "category", "status", "grade", "certificates", "valid_from", "valid_to") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "approval" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "supplier", "customer", "part", "category", "status", "grade", "certificates", "valid_from", "valid_to" FROM "approval" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."supplier", t."customer", t."part", t."category", t."status", t."grade", t."certificates", t."valid_from", t."valid_to" FROM temp.picked AS p CROSS JOIN "approval" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "approval" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')

-- upload
INSERT OR REPLACE INTO "upload" ("key", "owner", "upload", "row", "extra", "id", "load", "file", "sha256", "kind", "rows", "taken", "refused", "at", "by", "state") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "upload" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "id", "load", "file", "sha256", "kind", "rows", "taken", "refused", "at", "by", "state" FROM "upload" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."id", t."load", t."file", t."sha256", t."kind", t."rows", t."taken", t."refused", t."at", t."by", t."state" FROM temp.picked AS p CROSS JOIN "upload" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "upload" AS t WHERE t.key = p.key)
SELECT key FROM "raw_row" WHERE "source" IN temp.picked

-- raw_row
INSERT OR REPLACE INTO "raw_row" ("key", "owner", "upload", "row", "extra", "source", "number", "data") VALUES (?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "raw_row" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "source", "number", "data" FROM "raw_row" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."source", t."number", t."data" FROM temp.picked AS p CROSS JOIN "raw_row" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "raw_row" AS t WHERE t.key >= p.key || '@' AND t.key < p.key || 'A')

-- agreement
INSERT OR REPLACE INTO "agreement" ("key", "owner", "upload", "row", "extra", "id", "version", "grantee", "records", "aspects", "purposes", "start", "end", "onward", "at_end", "mode", "state", "proposed_by", "changed_at", "note") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "agreement" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "id", "version", "grantee", "records", "aspects", "purposes", "start", "end", "onward", "at_end", "mode", "state", "proposed_by", "changed_at", "note" FROM "agreement" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."id", t."version", t."grantee", t."records", t."aspects", t."purposes", t."start", t."end", t."onward", t."at_end", t."mode", t."state", t."proposed_by", t."changed_at", t."note" FROM temp.picked AS p CROSS JOIN "agreement" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "agreement" AS t WHERE t.key = p.key)

-- identity_request
INSERT OR REPLACE INTO "identity_request" ("key", "owner", "upload", "row", "extra", "id", "asked", "requester", "pseudonym", "subject", "purpose", "reason", "state", "at", "until", "changed_at") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
DELETE FROM "identity_request" WHERE key = ?
SELECT "key", "owner", "upload", "row", "extra", "id", "asked", "requester", "pseudonym", "subject", "purpose", "reason", "state", "at", "until", "changed_at" FROM "identity_request" ORDER BY key
SELECT t."key", t."owner", t."upload", t."row", t."extra", t."id", t."asked", t."requester", t."pseudonym", t."subject", t."purpose", t."reason", t."state", t."at", t."until", t."changed_at" FROM temp.picked AS p CROSS JOIN "identity_request" AS t ON t.key = p.key ORDER BY p.key
DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM "identity_request" AS t WHERE t.key = p.key)
