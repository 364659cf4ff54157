CREATE CONSTRAINT journal_head IF NOT EXISTS FOR (h:JournalHead) REQUIRE h.one IS UNIQUE;
CREATE CONSTRAINT journal_revision IF NOT EXISTS FOR (c:JournalCommit) REQUIRE c.revision IS UNIQUE;
CREATE CONSTRAINT journal_id IF NOT EXISTS FOR (c:JournalCommit) REQUIRE c.id IS UNIQUE;
CREATE INDEX journal_payload IF NOT EXISTS FOR (p:JournalPayload) ON (p.revision);
CREATE CONSTRAINT journal_redaction IF NOT EXISTS FOR (r:JournalRedaction) REQUIRE r.number IS UNIQUE;
CREATE INDEX redaction_revision IF NOT EXISTS FOR (r:JournalRedaction) ON (r.revision);
CREATE INDEX redaction_erasure IF NOT EXISTS FOR (r:JournalRedaction) ON (r.erasure);
CREATE CONSTRAINT write_lock IF NOT EXISTS FOR (l:WriteLock) REQUIRE l.one IS UNIQUE;
CREATE CONSTRAINT log_name IF NOT EXISTS FOR (l:Log) REQUIRE l.name IS UNIQUE;
CREATE INDEX log_leaf IF NOT EXISTS FOR (l:LogLeaf) ON (l.log, l.number);
CREATE CONSTRAINT blob_name IF NOT EXISTS FOR (b:StoredBlob) REQUIRE b.name IS UNIQUE;
CREATE INDEX blob_piece IF NOT EXISTS FOR (p:StoredBlobPiece) ON (p.name, p.number);
CREATE CONSTRAINT secret_name IF NOT EXISTS FOR (s:StoredSecret) REQUIRE s.name IS UNIQUE;
CREATE CONSTRAINT Organisation_key IF NOT EXISTS FOR (x:Organisation) REQUIRE x.key IS UNIQUE;
CREATE INDEX organisation_uscc IF NOT EXISTS FOR (x:Organisation) ON (x.uscc);
CREATE INDEX organisation_name_zh IF NOT EXISTS FOR (x:Organisation) ON (x.name_zh);
CREATE INDEX organisation_region IF NOT EXISTS FOR (x:Organisation) ON (x.region);
CREATE CONSTRAINT Site_key IF NOT EXISTS FOR (x:Site) REQUIRE x.key IS UNIQUE;
CREATE INDEX site_region IF NOT EXISTS FOR (x:Site) ON (x.region);
CREATE CONSTRAINT Consortium_key IF NOT EXISTS FOR (x:Consortium) REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT member_key IF NOT EXISTS FOR ()-[x:MEMBER_OF]-() REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT Part_key IF NOT EXISTS FOR (x:Part) REQUIRE x.key IS UNIQUE;
CREATE INDEX part_number IF NOT EXISTS FOR (x:Part) ON (x.number);
CREATE INDEX part_name_zh IF NOT EXISTS FOR (x:Part) ON (x.name_zh);
CREATE INDEX part_part_class IF NOT EXISTS FOR (x:Part) ON (x.part_class);
CREATE CONSTRAINT part_alias_key IF NOT EXISTS FOR ()-[x:KNOWS_AS]-() REQUIRE x.key IS UNIQUE;
CREATE INDEX part_alias_number IF NOT EXISTS FOR ()-[x:KNOWS_AS]-() ON (x.number);
CREATE INDEX part_alias_drawing_no IF NOT EXISTS FOR ()-[x:KNOWS_AS]-() ON (x.drawing_no);
CREATE CONSTRAINT contains_key IF NOT EXISTS FOR ()-[x:CONTAINS]-() REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT supplies_key IF NOT EXISTS FOR ()-[x:SUPPLIES]-() REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT Mechanism_key IF NOT EXISTS FOR (x:Mechanism) REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT Mode_key IF NOT EXISTS FOR (x:Mode) REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT ModeStatement_key IF NOT EXISTS FOR (x:ModeStatement) REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT propagation_key IF NOT EXISTS FOR ()-[x:INFLUENCES]-() REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT Lot_key IF NOT EXISTS FOR (x:Lot) REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT LotStatement_key IF NOT EXISTS FOR (x:LotStatement) REQUIRE x.key IS UNIQUE;
CREATE INDEX lot_code IF NOT EXISTS FOR (x:Lot) ON (x.code);
CREATE CONSTRAINT lot_genealogy_key IF NOT EXISTS FOR ()-[x:WENT_INTO]-() REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT Shipment_key IF NOT EXISTS FOR (x:Shipment) REQUIRE x.key IS UNIQUE;
CREATE INDEX shipment_region IF NOT EXISTS FOR (x:Shipment) ON (x.region);
CREATE CONSTRAINT LifeRecord_key IF NOT EXISTS FOR (x:LifeRecord) REQUIRE x.key IS UNIQUE;
CREATE INDEX life_record_serial IF NOT EXISTS FOR (x:LifeRecord) ON (x.serial);
CREATE INDEX life_record_region IF NOT EXISTS FOR (x:LifeRecord) ON (x.region);
CREATE CONSTRAINT DeclaredValue_key IF NOT EXISTS FOR (x:DeclaredValue) REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT Inspection_key IF NOT EXISTS FOR (x:Inspection) REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT ReliabilityTest_key IF NOT EXISTS FOR (x:ReliabilityTest) REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT FmeaItem_key IF NOT EXISTS FOR (x:FmeaItem) REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT Problem_key IF NOT EXISTS FOR (x:Problem) REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT ChangeNotice_key IF NOT EXISTS FOR (x:ChangeNotice) REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT Approval_key IF NOT EXISTS FOR (x:Approval) REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT Upload_key IF NOT EXISTS FOR (x:Upload) REQUIRE x.key IS UNIQUE;
CREATE INDEX upload_load IF NOT EXISTS FOR (x:Upload) ON (x.load);
CREATE CONSTRAINT RawRow_key IF NOT EXISTS FOR (x:RawRow) REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT Agreement_key IF NOT EXISTS FOR (x:Agreement) REQUIRE x.key IS UNIQUE;
CREATE CONSTRAINT IdentityRequest_key IF NOT EXISTS FOR (x:IdentityRequest) REQUIRE x.key IS UNIQUE;

// sweep
MATCH (n:Missing) WHERE NOT EXISTS { (n)--() } DELETE n;

// organisation
UNWIND $rows AS row MERGE (n:Organisation {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], stub: row[5], id: row[6], uscc: row[7], name_zh: row[8], name_en: row[9], tier: row[10], role: row[11], region: row[12], industry: row[13], parent: row[14], name: trim(coalesce(toString(row[6]), '') + ' ' + coalesce(row[8], row[9], ''))} REMOVE n:Missing;
UNWIND $rows AS row MATCH (n:Organisation {key: row[0]}) USING INDEX SEEK n:Organisation(key) MATCH (n)-[old:OWNED_BY]->() DELETE old;
UNWIND $rows AS row WITH row WHERE row[14] IS NOT NULL MATCH (n:Organisation {key: row[0]}) USING INDEX SEEK n:Organisation(key) MERGE (t:Organisation {key: row[14]}) ON CREATE SET t:Missing, t.name = row[14] MERGE (n)-[r:OWNED_BY]->(t);
UNWIND $keys AS key MATCH (n:Organisation {key: key}) USING INDEX SEEK n:Organisation(key) MATCH (n)-[old:OWNED_BY]->() DELETE old;
UNWIND $keys AS key MATCH (n:Organisation {key: key}) USING INDEX SEEK n:Organisation(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:Organisation) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.stub, n.id, n.uscc, n.name_zh, n.name_en, n.tier, n.role, n.region, n.industry, n.parent]) AS rows;
UNWIND $keys AS key MATCH (n:Organisation {key: key}) USING INDEX SEEK n:Organisation(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.stub, n.id, n.uscc, n.name_zh, n.name_en, n.tier, n.role, n.region, n.industry, n.parent]) AS rows;
UNWIND $keys AS key MATCH (n:Organisation {key: key}) USING INDEX SEEK n:Organisation(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;
UNWIND $keys AS key MATCH (t:Organisation {key: key}) USING INDEX SEEK t:Organisation(key) MATCH (t)<-[:OWNED_BY]-(n:Organisation) RETURN collect(DISTINCT n.key) AS keys;
UNWIND $keys AS key MATCH (t:Organisation {key: key}) USING INDEX SEEK t:Organisation(key) MATCH (t)<-[:BELONGS_TO]-(n:Site) RETURN collect(DISTINCT n.key) AS keys;
UNWIND $keys AS key MATCH (t:Organisation {key: key}) USING INDEX SEEK t:Organisation(key) MATCH (t)-[:LEADS]->(n:Consortium) RETURN collect(DISTINCT n.key) AS keys;
UNWIND $keys AS key MATCH (t:Organisation {key: key}) USING INDEX SEEK t:Organisation(key) MATCH (t)-[r:MEMBER_OF]->() RETURN collect(DISTINCT r.key) AS keys;
UNWIND $keys AS key MATCH (t:Organisation {key: key}) USING INDEX SEEK t:Organisation(key) MATCH (t)-[:ISSUES]->(n:Part) RETURN collect(DISTINCT n.key) AS keys;
UNWIND $keys AS key MATCH (t:Organisation {key: key}) USING INDEX SEEK t:Organisation(key) MATCH (t)-[r:KNOWS_AS]->() RETURN collect(DISTINCT r.key) AS keys;
UNWIND $keys AS key MATCH (t:Organisation {key: key}) USING INDEX SEEK t:Organisation(key) MATCH (t)-[r:SUPPLIES]->() RETURN collect(DISTINCT r.key) AS keys;
MATCH ()-[r:SUPPLIES]->() WHERE r.customer IN $keys RETURN collect(r.key) AS keys;
MATCH (n:LotStatement) WHERE n.maker IN $keys RETURN collect(n.key) AS keys;
MATCH ()-[r:WENT_INTO]->() WHERE r.from_maker IN $keys RETURN collect(r.key) AS keys;
MATCH ()-[r:WENT_INTO]->() WHERE r.into_maker IN $keys RETURN collect(r.key) AS keys;
MATCH (n:Shipment) WHERE n.maker IN $keys RETURN collect(n.key) AS keys;
MATCH (n:LifeRecord) WHERE n.maker IN $keys RETURN collect(n.key) AS keys;
MATCH (n:DeclaredValue) WHERE n.maker IN $keys RETURN collect(n.key) AS keys;
MATCH (n:Inspection) WHERE n.maker IN $keys RETURN collect(n.key) AS keys;
MATCH (n:ReliabilityTest) WHERE n.maker IN $keys RETURN collect(n.key) AS keys;
MATCH (n:ReliabilityTest) WHERE n.laboratory IN $keys RETURN collect(n.key) AS keys;
MATCH (n:Problem) WHERE n.maker IN $keys RETURN collect(n.key) AS keys;
MATCH (n:Problem) WHERE n.customer IN $keys RETURN collect(n.key) AS keys;
MATCH (n:ChangeNotice) WHERE n.maker IN $keys RETURN collect(n.key) AS keys;
UNWIND $keys AS key MATCH (t:Organisation {key: key}) USING INDEX SEEK t:Organisation(key) MATCH (t)<-[:OF]-(n:Approval) RETURN collect(DISTINCT n.key) AS keys;
MATCH (n:Approval) WHERE n.customer IN $keys RETURN collect(n.key) AS keys;
UNWIND $keys AS key MATCH (t:Organisation {key: key}) USING INDEX SEEK t:Organisation(key) MATCH (t)-[:PROPOSED]->(n:Agreement) RETURN collect(DISTINCT n.key) AS keys;
UNWIND $keys AS key MATCH (t:Organisation {key: key}) USING INDEX SEEK t:Organisation(key) MATCH (t)<-[:OF]-(n:IdentityRequest) RETURN collect(DISTINCT n.key) AS keys;
UNWIND $keys AS key MATCH (t:Organisation {key: key}) USING INDEX SEEK t:Organisation(key) MATCH (t)-[:ASKS]->(n:IdentityRequest) RETURN collect(DISTINCT n.key) AS keys;

// site
UNWIND $rows AS row MERGE (n:Site {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], stub: row[5], id: row[6], organisation: row[7], name_zh: row[8], name_en: row[9], region: row[10], latitude: row[11], longitude: row[12], recovery_days: row[13], name: trim(coalesce(toString(row[6]), '') + ' ' + coalesce(row[8], row[9], ''))} REMOVE n:Missing;
UNWIND $rows AS row MATCH (n:Site {key: row[0]}) USING INDEX SEEK n:Site(key) MATCH (n)-[old:BELONGS_TO]->() DELETE old;
UNWIND $rows AS row WITH row WHERE row[7] IS NOT NULL MATCH (n:Site {key: row[0]}) USING INDEX SEEK n:Site(key) MERGE (t:Organisation {key: row[7]}) ON CREATE SET t:Missing, t.name = row[7] MERGE (n)-[r:BELONGS_TO]->(t);
UNWIND $keys AS key MATCH (n:Site {key: key}) USING INDEX SEEK n:Site(key) MATCH (n)-[old:BELONGS_TO]->() DELETE old;
UNWIND $keys AS key MATCH (n:Site {key: key}) USING INDEX SEEK n:Site(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:Site) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.stub, n.id, n.organisation, n.name_zh, n.name_en, n.region, n.latitude, n.longitude, n.recovery_days]) AS rows;
UNWIND $keys AS key MATCH (n:Site {key: key}) USING INDEX SEEK n:Site(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.stub, n.id, n.organisation, n.name_zh, n.name_en, n.region, n.latitude, n.longitude, n.recovery_days]) AS rows;
UNWIND $keys AS key MATCH (n:Site {key: key}) USING INDEX SEEK n:Site(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;
MATCH ()-[r:SUPPLIES]->() WHERE r.site IN $keys RETURN collect(r.key) AS keys;

// consortium
UNWIND $rows AS row MERGE (n:Consortium {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], id: row[5], leader: row[6], name_zh: row[7], name_en: row[8], products: row[9], name: trim(coalesce(toString(row[5]), '') + ' ' + coalesce(row[7], row[8], ''))} REMOVE n:Missing;
UNWIND $rows AS row MATCH (n:Consortium {key: row[0]}) USING INDEX SEEK n:Consortium(key) MATCH (n)<-[old:LEADS]-() DELETE old;
UNWIND $rows AS row WITH row WHERE row[6] IS NOT NULL MATCH (n:Consortium {key: row[0]}) USING INDEX SEEK n:Consortium(key) MERGE (t:Organisation {key: row[6]}) ON CREATE SET t:Missing, t.name = row[6] MERGE (n)<-[r:LEADS]-(t);
UNWIND $keys AS key MATCH (n:Consortium {key: key}) USING INDEX SEEK n:Consortium(key) MATCH (n)<-[old:LEADS]-() DELETE old;
UNWIND $keys AS key MATCH (n:Consortium {key: key}) USING INDEX SEEK n:Consortium(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:Consortium) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.id, n.leader, n.name_zh, n.name_en, n.products]) AS rows;
UNWIND $keys AS key MATCH (n:Consortium {key: key}) USING INDEX SEEK n:Consortium(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.id, n.leader, n.name_zh, n.name_en, n.products]) AS rows;
UNWIND $keys AS key MATCH (n:Consortium {key: key}) USING INDEX SEEK n:Consortium(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;
UNWIND $keys AS key MATCH (t:Consortium {key: key}) USING INDEX SEEK t:Consortium(key) MATCH (t)<-[r:MEMBER_OF]-() RETURN collect(DISTINCT r.key) AS keys;

// member
UNWIND $rows AS row MERGE (a:Organisation {key: row[6]}) ON CREATE SET a:Missing, a.name = row[6] MERGE (b:Consortium {key: row[5]}) ON CREATE SET b:Missing, b.name = row[5] MERGE (a)-[r:MEMBER_OF {key: row[0]}]->(b) SET r = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], consortium: row[5], organisation: row[6], role: row[7], tier: row[8], since: row[9], until: row[10], groups: row[11]};
UNWIND $keys AS key MATCH ()-[r:MEMBER_OF {key: key}]->() USING INDEX SEEK r:MEMBER_OF(key) DELETE r;
MATCH ()-[n:MEMBER_OF]->() WHERE n.key > $after WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.consortium, n.organisation, n.role, n.tier, toString(n.since), toString(n.until), n.groups]) AS rows;
UNWIND $keys AS key MATCH ()-[n:MEMBER_OF {key: key}]->() USING INDEX SEEK n:MEMBER_OF(key) RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.consortium, n.organisation, n.role, n.tier, toString(n.since), toString(n.until), n.groups]) AS rows;
UNWIND $start AS key MATCH (s:Organisation {key: key}) USING INDEX SEEK s:Organisation(key) MATCH p = (s)-[:MEMBER_OF*0..]->(e) WITH e, min(length(p)) AS depth RETURN collect([e.key, depth]) AS rows;
UNWIND $keys AS key MATCH (s:Organisation {key: key}) USING INDEX SEEK s:Organisation(key) MATCH (s)-[r:MEMBER_OF]->(e) RETURN collect([r.key, key, e.key]) AS rows;
UNWIND $start AS key MATCH (s:Consortium {key: key}) USING INDEX SEEK s:Consortium(key) MATCH p = (s)<-[:MEMBER_OF*0..]-(e) WITH e, min(length(p)) AS depth RETURN collect([e.key, depth]) AS rows;
UNWIND $keys AS key MATCH (s:Consortium {key: key}) USING INDEX SEEK s:Consortium(key) MATCH (s)<-[r:MEMBER_OF]-(e) RETURN collect([r.key, key, e.key]) AS rows;

// part
UNWIND $rows AS row MERGE (n:Part {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], stub: row[5], number: row[6], issuer: row[7], name_zh: row[8], name_en: row[9], part_class: row[10], chain_level: row[11], foundation_class: row[12], criticality: row[13], age_unit: row[14], name: trim(coalesce(toString(row[6]), '') + ' ' + coalesce(row[8], row[9], ''))} REMOVE n:Missing;
UNWIND $rows AS row WITH row WHERE row[7] IS NOT NULL MATCH (n:Part {key: row[0]}) USING INDEX SEEK n:Part(key) MERGE (t:Organisation {key: row[7]}) ON CREATE SET t:Missing, t.name = row[7] MERGE (n)<-[r:ISSUES]-(t);
UNWIND $keys AS key MATCH (n:Part {key: key}) USING INDEX SEEK n:Part(key) MATCH (n)<-[old:ISSUES]-() DELETE old;
UNWIND $keys AS key MATCH (n:Part {key: key}) USING INDEX SEEK n:Part(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:Part) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.stub, n.number, n.issuer, n.name_zh, n.name_en, n.part_class, n.chain_level, n.foundation_class, n.criticality, n.age_unit]) AS rows;
UNWIND $keys AS key MATCH (n:Part {key: key}) USING INDEX SEEK n:Part(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.stub, n.number, n.issuer, n.name_zh, n.name_en, n.part_class, n.chain_level, n.foundation_class, n.criticality, n.age_unit]) AS rows;
UNWIND $keys AS key MATCH (n:Part {key: key}) USING INDEX SEEK n:Part(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;
UNWIND $keys AS key MATCH (t:Part {key: key}) USING INDEX SEEK t:Part(key) MATCH (t)<-[r:KNOWS_AS]-() RETURN collect(DISTINCT r.key) AS keys;
UNWIND $keys AS key MATCH (t:Part {key: key}) USING INDEX SEEK t:Part(key) MATCH (t)-[r:CONTAINS]->() RETURN collect(DISTINCT r.key) AS keys;
UNWIND $keys AS key MATCH (t:Part {key: key}) USING INDEX SEEK t:Part(key) MATCH (t)<-[r:CONTAINS]-() RETURN collect(DISTINCT r.key) AS keys;
UNWIND $keys AS key MATCH (t:Part {key: key}) USING INDEX SEEK t:Part(key) MATCH (t)<-[r:SUPPLIES]-() RETURN collect(DISTINCT r.key) AS keys;
MATCH (n:ModeStatement) WHERE n.part IN $keys RETURN collect(n.key) AS keys;
UNWIND $keys AS key MATCH (t:Part {key: key}) USING INDEX SEEK t:Part(key) MATCH (t)-[r:INFLUENCES]->() RETURN collect(DISTINCT r.key) AS keys;
UNWIND $keys AS key MATCH (t:Part {key: key}) USING INDEX SEEK t:Part(key) MATCH (t)<-[r:INFLUENCES]-() RETURN collect(DISTINCT r.key) AS keys;
MATCH (n:LotStatement) WHERE n.part IN $keys RETURN collect(n.key) AS keys;
MATCH ()-[r:WENT_INTO]->() WHERE r.from_part IN $keys RETURN collect(r.key) AS keys;
MATCH ()-[r:WENT_INTO]->() WHERE r.into_part IN $keys RETURN collect(r.key) AS keys;
UNWIND $keys AS key MATCH (t:Part {key: key}) USING INDEX SEEK t:Part(key) MATCH (t)<-[:OF]-(n:Shipment) RETURN collect(DISTINCT n.key) AS keys;
UNWIND $keys AS key MATCH (t:Part {key: key}) USING INDEX SEEK t:Part(key) MATCH (t)<-[:OF]-(n:LifeRecord) RETURN collect(DISTINCT n.key) AS keys;
MATCH (n:LifeRecord) WHERE n.product IN $keys RETURN collect(n.key) AS keys;
UNWIND $keys AS key MATCH (t:Part {key: key}) USING INDEX SEEK t:Part(key) MATCH (t)<-[:ABOUT]-(n:DeclaredValue) RETURN collect(DISTINCT n.key) AS keys;
UNWIND $keys AS key MATCH (t:Part {key: key}) USING INDEX SEEK t:Part(key) MATCH (t)<-[:OF]-(n:Inspection) RETURN collect(DISTINCT n.key) AS keys;
UNWIND $keys AS key MATCH (t:Part {key: key}) USING INDEX SEEK t:Part(key) MATCH (t)<-[:OF]-(n:ReliabilityTest) RETURN collect(DISTINCT n.key) AS keys;
UNWIND $keys AS key MATCH (t:Part {key: key}) USING INDEX SEEK t:Part(key) MATCH (t)<-[:OF]-(n:FmeaItem) RETURN collect(DISTINCT n.key) AS keys;
UNWIND $keys AS key MATCH (t:Part {key: key}) USING INDEX SEEK t:Part(key) MATCH (t)<-[:ABOUT]-(n:Problem) RETURN collect(DISTINCT n.key) AS keys;
UNWIND $keys AS key MATCH (t:Part {key: key}) USING INDEX SEEK t:Part(key) MATCH (t)<-[:ABOUT]-(n:ChangeNotice) RETURN collect(DISTINCT n.key) AS keys;
MATCH (n:ChangeNotice) WHERE n.replacement IN $keys RETURN collect(n.key) AS keys;
MATCH (n:Approval) WHERE n.part IN $keys RETURN collect(n.key) AS keys;

// part_alias
UNWIND $rows AS row WITH row, row[0] AS key MATCH (a)-[r:KNOWS_AS {key: key}]->(b) USING INDEX SEEK r:KNOWS_AS(key) WHERE a.key <> row[5] OR b.key <> row[8] DELETE r;
UNWIND $rows AS row MERGE (a:Organisation {key: row[5]}) ON CREATE SET a:Missing, a.name = row[5] MERGE (b:Part {key: row[8]}) ON CREATE SET b:Missing, b.name = row[8] MERGE (a)-[r:KNOWS_AS {key: row[0]}]->(b) SET r = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], organisation: row[5], number: row[6], drawing_no: row[7], part: row[8]};
UNWIND $keys AS key MATCH ()-[r:KNOWS_AS {key: key}]->() USING INDEX SEEK r:KNOWS_AS(key) DELETE r;
MATCH ()-[n:KNOWS_AS]->() WHERE n.key > $after WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.organisation, n.number, n.drawing_no, n.part]) AS rows;
UNWIND $keys AS key MATCH ()-[n:KNOWS_AS {key: key}]->() USING INDEX SEEK n:KNOWS_AS(key) RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.organisation, n.number, n.drawing_no, n.part]) AS rows;
UNWIND $start AS key MATCH (s:Organisation {key: key}) USING INDEX SEEK s:Organisation(key) MATCH p = (s)-[:KNOWS_AS*0..]->(e) WITH e, min(length(p)) AS depth RETURN collect([e.key, depth]) AS rows;
UNWIND $keys AS key MATCH (s:Organisation {key: key}) USING INDEX SEEK s:Organisation(key) MATCH (s)-[r:KNOWS_AS]->(e) RETURN collect([r.key, key, e.key]) AS rows;
UNWIND $start AS key MATCH (s:Part {key: key}) USING INDEX SEEK s:Part(key) MATCH p = (s)<-[:KNOWS_AS*0..]-(e) WITH e, min(length(p)) AS depth RETURN collect([e.key, depth]) AS rows;
UNWIND $keys AS key MATCH (s:Part {key: key}) USING INDEX SEEK s:Part(key) MATCH (s)<-[r:KNOWS_AS]-(e) RETURN collect([r.key, key, e.key]) AS rows;

// contains
UNWIND $rows AS row MERGE (a:Part {key: row[5]}) ON CREATE SET a:Missing, a.name = row[5] MERGE (b:Part {key: row[6]}) ON CREATE SET b:Missing, b.name = row[6] MERGE (a)-[r:CONTAINS {key: row[0]}]->(b) SET r = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], parent: row[5], child: row[6], find_no: row[7], quantity: row[8], unit: row[9], group: row[10], k: row[11], redundancy: row[12], duty: row[13], valid_from: row[14], valid_to: row[15]};
UNWIND $keys AS key MATCH ()-[r:CONTAINS {key: key}]->() USING INDEX SEEK r:CONTAINS(key) DELETE r;
MATCH ()-[n:CONTAINS]->() WHERE n.key > $after WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.parent, n.child, n.find_no, n.quantity, n.unit, n.group, n.k, n.redundancy, n.duty, toString(n.valid_from), toString(n.valid_to)]) AS rows;
UNWIND $keys AS key MATCH ()-[n:CONTAINS {key: key}]->() USING INDEX SEEK n:CONTAINS(key) RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.parent, n.child, n.find_no, n.quantity, n.unit, n.group, n.k, n.redundancy, n.duty, toString(n.valid_from), toString(n.valid_to)]) AS rows;
UNWIND $start AS key MATCH (s:Part {key: key}) USING INDEX SEEK s:Part(key) MATCH p = (s)-[:CONTAINS*0..]->(e) WITH e, min(length(p)) AS depth RETURN collect([e.key, depth]) AS rows;
UNWIND $keys AS key MATCH (s:Part {key: key}) USING INDEX SEEK s:Part(key) MATCH (s)-[r:CONTAINS]->(e) RETURN collect([r.key, key, e.key]) AS rows;
UNWIND $start AS key MATCH (s:Part {key: key}) USING INDEX SEEK s:Part(key) MATCH p = (s)<-[:CONTAINS*0..]-(e) WITH e, min(length(p)) AS depth RETURN collect([e.key, depth]) AS rows;
UNWIND $keys AS key MATCH (s:Part {key: key}) USING INDEX SEEK s:Part(key) MATCH (s)<-[r:CONTAINS]-(e) RETURN collect([r.key, key, e.key]) AS rows;

// supplies
UNWIND $rows AS row MERGE (a:Organisation {key: row[6]}) ON CREATE SET a:Missing, a.name = row[6] MERGE (b:Part {key: row[5]}) ON CREATE SET b:Missing, b.name = row[5] MERGE (a)-[r:SUPPLIES {key: row[0]}]->(b) SET r = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], part: row[5], supplier: row[6], customer: row[7], site: row[8], share: row[9], status: row[10], alternative_exists: row[11], lead_time_days: row[12], lead_time_sd_days: row[13], price: row[14], currency: row[15], capacity: row[16], inventory: row[17], recovery_days: row[18], valid_from: row[19]};
UNWIND $keys AS key MATCH ()-[r:SUPPLIES {key: key}]->() USING INDEX SEEK r:SUPPLIES(key) DELETE r;
MATCH ()-[n:SUPPLIES]->() WHERE n.key > $after WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.part, n.supplier, n.customer, n.site, n.share, n.status, n.alternative_exists, n.lead_time_days, n.lead_time_sd_days, n.price, n.currency, n.capacity, n.inventory, n.recovery_days, toString(n.valid_from)]) AS rows;
UNWIND $keys AS key MATCH ()-[n:SUPPLIES {key: key}]->() USING INDEX SEEK n:SUPPLIES(key) RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.part, n.supplier, n.customer, n.site, n.share, n.status, n.alternative_exists, n.lead_time_days, n.lead_time_sd_days, n.price, n.currency, n.capacity, n.inventory, n.recovery_days, toString(n.valid_from)]) AS rows;
UNWIND $start AS key MATCH (s:Organisation {key: key}) USING INDEX SEEK s:Organisation(key) MATCH p = (s)-[:SUPPLIES*0..]->(e) WITH e, min(length(p)) AS depth RETURN collect([e.key, depth]) AS rows;
UNWIND $keys AS key MATCH (s:Organisation {key: key}) USING INDEX SEEK s:Organisation(key) MATCH (s)-[r:SUPPLIES]->(e) RETURN collect([r.key, key, e.key]) AS rows;
UNWIND $start AS key MATCH (s:Part {key: key}) USING INDEX SEEK s:Part(key) MATCH p = (s)<-[:SUPPLIES*0..]-(e) WITH e, min(length(p)) AS depth RETURN collect([e.key, depth]) AS rows;
UNWIND $keys AS key MATCH (s:Part {key: key}) USING INDEX SEEK s:Part(key) MATCH (s)<-[r:SUPPLIES]-(e) RETURN collect([r.key, key, e.key]) AS rows;

// mechanism
UNWIND $rows AS row MERGE (n:Mechanism {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], stub: row[5], code: row[6], parent: row[7], name_zh: row[8], name_en: row[9], typical_beta: row[10], name: trim(coalesce(toString(row[6]), '') + ' ' + coalesce(row[8], row[9], ''))} REMOVE n:Missing;
UNWIND $rows AS row MATCH (n:Mechanism {key: row[0]}) USING INDEX SEEK n:Mechanism(key) MATCH (n)-[old:KIND_OF]->() DELETE old;
UNWIND $rows AS row WITH row WHERE row[7] IS NOT NULL MATCH (n:Mechanism {key: row[0]}) USING INDEX SEEK n:Mechanism(key) MERGE (t:Mechanism {key: row[7]}) ON CREATE SET t:Missing, t.name = row[7] MERGE (n)-[r:KIND_OF]->(t);
UNWIND $keys AS key MATCH (n:Mechanism {key: key}) USING INDEX SEEK n:Mechanism(key) MATCH (n)-[old:KIND_OF]->() DELETE old;
UNWIND $keys AS key MATCH (n:Mechanism {key: key}) USING INDEX SEEK n:Mechanism(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:Mechanism) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.stub, n.code, n.parent, n.name_zh, n.name_en, n.typical_beta]) AS rows;
UNWIND $keys AS key MATCH (n:Mechanism {key: key}) USING INDEX SEEK n:Mechanism(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.stub, n.code, n.parent, n.name_zh, n.name_en, n.typical_beta]) AS rows;
UNWIND $keys AS key MATCH (n:Mechanism {key: key}) USING INDEX SEEK n:Mechanism(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;
UNWIND $keys AS key MATCH (t:Mechanism {key: key}) USING INDEX SEEK t:Mechanism(key) MATCH (t)<-[:KIND_OF]-(n:Mechanism) RETURN collect(DISTINCT n.key) AS keys;
MATCH (n:ModeStatement) WHERE n.mechanism IN $keys RETURN collect(n.key) AS keys;
MATCH ()-[r:INFLUENCES]->() WHERE r.mechanism IN $keys RETURN collect(r.key) AS keys;
MATCH (n:LifeRecord) WHERE n.mechanism IN $keys RETURN collect(n.key) AS keys;

// mode
UNWIND $rows AS row MERGE (t:Mode {key: row[13]}) SET t = {key: row[13], part: row[6], mode: row[7], name: trim(coalesce(toString(row[7]), '') + ' ' + coalesce(row[8], row[9], ''))} REMOVE t:Missing MERGE (n:ModeStatement {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], stub: row[5], part: row[6], mode: row[7], name_zh: row[8], name_en: row[9], mechanism: row[10], severity: row[11], repair_hours: row[12], name: trim(coalesce(toString(row[7]), '') + ' ' + coalesce(row[8], row[9], ''))} MERGE (n)-[:STATES]->(t);
UNWIND $rows AS row MATCH (t:Mode {key: row[13]}) USING INDEX SEEK t:Mode(key) WITH DISTINCT t SET t.name = coalesce(head(COLLECT { MATCH (t)<-[:STATES]-(s:ModeStatement) WHERE s.name_zh IS NOT NULL OR s.name_en IS NOT NULL RETURN s.name ORDER BY s.key }), toString(t.mode));
UNWIND $rows AS row WITH row WHERE row[6] IS NOT NULL MATCH (n:Mode {key: row[13]}) USING INDEX SEEK n:Mode(key) MERGE (t:Part {key: row[6]}) ON CREATE SET t:Missing, t.name = row[6] MERGE (n)<-[r:FAILS_BY]-(t);
UNWIND $rows AS row MATCH (n:Mode {key: row[13]}) USING INDEX SEEK n:Mode(key) MATCH (n)-[old:THROUGH {statement: row[0]}]->() DELETE old;
UNWIND $rows AS row WITH row WHERE row[10] IS NOT NULL MATCH (n:Mode {key: row[13]}) USING INDEX SEEK n:Mode(key) MERGE (t:Mechanism {key: row[10]}) ON CREATE SET t:Missing, t.name = row[10] MERGE (n)-[r:THROUGH {statement: row[0]}]->(t) SET r.owner = row[1];
UNWIND $keys AS key MATCH (n:ModeStatement {key: key}) USING INDEX SEEK n:ModeStatement(key) MATCH (n)-[:STATES]->(t:Mode) MATCH (t)-[old:THROUGH {statement: key}]->() DELETE old;
UNWIND $keys AS key MATCH (n:ModeStatement {key: key}) USING INDEX SEEK n:ModeStatement(key) MATCH (n)-[:STATES]->(t:Mode) DETACH DELETE n WITH DISTINCT t SET t.name = coalesce(head(COLLECT { MATCH (t)<-[:STATES]-(s:ModeStatement) WHERE s.name_zh IS NOT NULL OR s.name_en IS NOT NULL RETURN s.name ORDER BY s.key }), toString(t.mode)) WITH t WHERE count { (t)<-[:STATES]-() } = 0 SET t = {key: t.key, name: t.key} SET t:Missing WITH DISTINCT t OPTIONAL MATCH (t)<-[old:FAILS_BY]-() DELETE old;
MATCH (n:ModeStatement) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.stub, n.part, n.mode, n.name_zh, n.name_en, n.mechanism, n.severity, n.repair_hours]) AS rows;
UNWIND $keys AS key MATCH (n:ModeStatement {key: key}) USING INDEX SEEK n:ModeStatement(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.stub, n.part, n.mode, n.name_zh, n.name_en, n.mechanism, n.severity, n.repair_hours]) AS rows;
UNWIND $keys AS key MATCH (n:Mode {key: key}) USING INDEX SEEK n:Mode(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;
UNWIND $keys AS key MATCH (t:Mode {key: key}) USING INDEX SEEK t:Mode(key) MATCH (t)<-[:SHOWED]-(n:LifeRecord) RETURN collect(DISTINCT n.key) AS keys;
MATCH (n:DeclaredValue) WHERE n.mode IN $keys RETURN collect(n.key) AS keys;
MATCH (n:Inspection) WHERE n.mode IN $keys RETURN collect(n.key) AS keys;
MATCH (n:ReliabilityTest) WHERE n.mode IN $keys RETURN collect(n.key) AS keys;
UNWIND $keys AS key MATCH (t:Mode {key: key}) USING INDEX SEEK t:Mode(key) MATCH (t)<-[:ABOUT]-(n:FmeaItem) RETURN collect(DISTINCT n.key) AS keys;
MATCH (n:Problem) WHERE n.mode IN $keys RETURN collect(n.key) AS keys;

// propagation
UNWIND $rows AS row MERGE (a:Part {key: row[5]}) ON CREATE SET a:Missing, a.name = row[5] MERGE (b:Part {key: row[7]}) ON CREATE SET b:Missing, b.name = row[7] MERGE (a)-[r:INFLUENCES {key: row[0]}]->(b) SET r = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], upstream_part: row[5], mechanism: row[6], downstream_part: row[7], sensitivity: row[8]};
UNWIND $keys AS key MATCH ()-[r:INFLUENCES {key: key}]->() USING INDEX SEEK r:INFLUENCES(key) DELETE r;
MATCH ()-[n:INFLUENCES]->() WHERE n.key > $after WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.upstream_part, n.mechanism, n.downstream_part, n.sensitivity]) AS rows;
UNWIND $keys AS key MATCH ()-[n:INFLUENCES {key: key}]->() USING INDEX SEEK n:INFLUENCES(key) RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.upstream_part, n.mechanism, n.downstream_part, n.sensitivity]) AS rows;
UNWIND $start AS key MATCH (s:Part {key: key}) USING INDEX SEEK s:Part(key) MATCH p = (s)-[:INFLUENCES*0..]->(e) WITH e, min(length(p)) AS depth RETURN collect([e.key, depth]) AS rows;
UNWIND $keys AS key MATCH (s:Part {key: key}) USING INDEX SEEK s:Part(key) MATCH (s)-[r:INFLUENCES]->(e) RETURN collect([r.key, key, e.key]) AS rows;
UNWIND $start AS key MATCH (s:Part {key: key}) USING INDEX SEEK s:Part(key) MATCH p = (s)<-[:INFLUENCES*0..]-(e) WITH e, min(length(p)) AS depth RETURN collect([e.key, depth]) AS rows;
UNWIND $keys AS key MATCH (s:Part {key: key}) USING INDEX SEEK s:Part(key) MATCH (s)<-[r:INFLUENCES]-(e) RETURN collect([r.key, key, e.key]) AS rows;

// lot
UNWIND $rows AS row MERGE (t:Lot {key: row[12]}) SET t = {key: row[12], part: row[6], maker: row[7], code: row[8], name: toString(row[8])} REMOVE t:Missing MERGE (n:LotStatement {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], stub: row[5], part: row[6], maker: row[7], code: row[8], produced_on: row[9], quantity: row[10], individual: row[11], name: toString(row[8])} MERGE (n)-[:STATES]->(t);
UNWIND $rows AS row WITH row WHERE row[6] IS NOT NULL MATCH (n:Lot {key: row[12]}) USING INDEX SEEK n:Lot(key) MERGE (t:Part {key: row[6]}) ON CREATE SET t:Missing, t.name = row[6] MERGE (n)-[r:OF]->(t);
UNWIND $rows AS row WITH row WHERE row[7] IS NOT NULL MATCH (n:Lot {key: row[12]}) USING INDEX SEEK n:Lot(key) MERGE (t:Organisation {key: row[7]}) ON CREATE SET t:Missing, t.name = row[7] MERGE (n)<-[r:MADE]-(t);
UNWIND $keys AS key MATCH (n:LotStatement {key: key}) USING INDEX SEEK n:LotStatement(key) MATCH (n)-[:STATES]->(t:Lot) DETACH DELETE n WITH DISTINCT t WHERE count { (t)<-[:STATES]-() } = 0 SET t = {key: t.key, name: t.key} SET t:Missing WITH DISTINCT t OPTIONAL MATCH (t)-[old:OF]->() DELETE old WITH DISTINCT t OPTIONAL MATCH (t)<-[old:MADE]-() DELETE old;
MATCH (n:LotStatement) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.stub, n.part, n.maker, n.code, toString(n.produced_on), n.quantity, n.individual]) AS rows;
UNWIND $keys AS key MATCH (n:LotStatement {key: key}) USING INDEX SEEK n:LotStatement(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.stub, n.part, n.maker, n.code, toString(n.produced_on), n.quantity, n.individual]) AS rows;
UNWIND $keys AS key MATCH (n:Lot {key: key}) USING INDEX SEEK n:Lot(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;
UNWIND $keys AS key MATCH (t:Lot {key: key}) USING INDEX SEEK t:Lot(key) MATCH (t)-[r:WENT_INTO]->() RETURN collect(DISTINCT r.key) AS keys;
UNWIND $keys AS key MATCH (t:Lot {key: key}) USING INDEX SEEK t:Lot(key) MATCH (t)<-[r:WENT_INTO]-() RETURN collect(DISTINCT r.key) AS keys;
MATCH (n:Shipment) WHERE n.lot IN $keys RETURN collect(n.key) AS keys;
UNWIND $keys AS key MATCH (t:Lot {key: key}) USING INDEX SEEK t:Lot(key) MATCH (t)<-[:FROM_LOT]-(n:LifeRecord) RETURN collect(DISTINCT n.key) AS keys;
UNWIND $keys AS key MATCH (t:Lot {key: key}) USING INDEX SEEK t:Lot(key) MATCH (t)<-[:OF_LOT]-(n:Inspection) RETURN collect(DISTINCT n.key) AS keys;
MATCH (n:ReliabilityTest) WHERE n.lot IN $keys RETURN collect(n.key) AS keys;
MATCH (n:Problem) WHERE n.lot IN $keys RETURN collect(n.key) AS keys;
MATCH (n:ChangeNotice) WHERE n.first_lot IN $keys RETURN collect(n.key) AS keys;

// lot_genealogy
UNWIND $rows AS row MERGE (a:Lot {key: row[7]}) ON CREATE SET a:Missing, a.name = row[7] MERGE (b:Lot {key: row[10]}) ON CREATE SET b:Missing, b.name = row[10] MERGE (a)-[r:WENT_INTO {key: row[0]}]->(b) SET r = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], from_part: row[5], from_maker: row[6], from_lot: row[7], into_part: row[8], into_maker: row[9], into_lot: row[10], quantity: row[11]};
UNWIND $keys AS key MATCH ()-[r:WENT_INTO {key: key}]->() USING INDEX SEEK r:WENT_INTO(key) DELETE r;
MATCH ()-[n:WENT_INTO]->() WHERE n.key > $after WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.from_part, n.from_maker, n.from_lot, n.into_part, n.into_maker, n.into_lot, n.quantity]) AS rows;
UNWIND $keys AS key MATCH ()-[n:WENT_INTO {key: key}]->() USING INDEX SEEK n:WENT_INTO(key) RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.from_part, n.from_maker, n.from_lot, n.into_part, n.into_maker, n.into_lot, n.quantity]) AS rows;
UNWIND $start AS key MATCH (s:Lot {key: key}) USING INDEX SEEK s:Lot(key) MATCH p = (s)-[:WENT_INTO*0..]->(e) WITH e, min(length(p)) AS depth RETURN collect([e.key, depth]) AS rows;
UNWIND $keys AS key MATCH (s:Lot {key: key}) USING INDEX SEEK s:Lot(key) MATCH (s)-[r:WENT_INTO]->(e) RETURN collect([r.key, key, e.key]) AS rows;
UNWIND $start AS key MATCH (s:Lot {key: key}) USING INDEX SEEK s:Lot(key) MATCH p = (s)<-[:WENT_INTO*0..]-(e) WITH e, min(length(p)) AS depth RETURN collect([e.key, depth]) AS rows;
UNWIND $keys AS key MATCH (s:Lot {key: key}) USING INDEX SEEK s:Lot(key) MATCH (s)<-[r:WENT_INTO]-(e) RETURN collect([r.key, key, e.key]) AS rows;

// shipment
UNWIND $rows AS row MERGE (n:Shipment {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], part: row[5], maker: row[6], lot: row[7], shipped_on: row[8], quantity: row[9], region: row[10], usage_per_month: row[11], name: trim(coalesce(toString(row[8]), '') + ' ' + coalesce(toString(row[10]), ''))} REMOVE n:Missing;
UNWIND $rows AS row WITH row WHERE row[5] IS NOT NULL MATCH (n:Shipment {key: row[0]}) USING INDEX SEEK n:Shipment(key) MERGE (t:Part {key: row[5]}) ON CREATE SET t:Missing, t.name = row[5] MERGE (n)-[r:OF]->(t);
UNWIND $keys AS key MATCH (n:Shipment {key: key}) USING INDEX SEEK n:Shipment(key) MATCH (n)-[old:OF]->() DELETE old;
UNWIND $keys AS key MATCH (n:Shipment {key: key}) USING INDEX SEEK n:Shipment(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:Shipment) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.part, n.maker, n.lot, toString(n.shipped_on), n.quantity, n.region, n.usage_per_month]) AS rows;
UNWIND $keys AS key MATCH (n:Shipment {key: key}) USING INDEX SEEK n:Shipment(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.part, n.maker, n.lot, toString(n.shipped_on), n.quantity, n.region, n.usage_per_month]) AS rows;
UNWIND $keys AS key MATCH (n:Shipment {key: key}) USING INDEX SEEK n:Shipment(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;

// life_record
UNWIND $rows AS row MERGE (n:LifeRecord {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], id: row[5], serial: row[6], part: row[7], maker: row[8], lot: row[9], event: row[10], entry: row[11], age: row[12], age_to: row[13], unit: row[14], count: row[15], mode: row[16], mechanism: row[17], symptom: row[18], cause: row[19], effect: row[20], severity: row[21], relevant: row[22], product: row[23], region: row[24], version: row[25], origin: row[26], stage: row[27], started_on: row[28], observed_on: row[29], downtime_hours: row[30], repair_hours: row[31], cost: row[32], name: toString(row[5])} REMOVE n:Missing;
UNWIND $rows AS row MATCH (n:LifeRecord {key: row[0]}) USING INDEX SEEK n:LifeRecord(key) MATCH (n)-[old:OF]->() DELETE old;
UNWIND $rows AS row WITH row WHERE row[7] IS NOT NULL MATCH (n:LifeRecord {key: row[0]}) USING INDEX SEEK n:LifeRecord(key) MERGE (t:Part {key: row[7]}) ON CREATE SET t:Missing, t.name = row[7] MERGE (n)-[r:OF]->(t);
UNWIND $rows AS row MATCH (n:LifeRecord {key: row[0]}) USING INDEX SEEK n:LifeRecord(key) MATCH (n)-[old:FROM_LOT]->() DELETE old;
UNWIND $rows AS row WITH row WHERE row[9] IS NOT NULL MATCH (n:LifeRecord {key: row[0]}) USING INDEX SEEK n:LifeRecord(key) MERGE (t:Lot {key: row[9]}) ON CREATE SET t:Missing, t.name = row[9] MERGE (n)-[r:FROM_LOT]->(t);
UNWIND $rows AS row MATCH (n:LifeRecord {key: row[0]}) USING INDEX SEEK n:LifeRecord(key) MATCH (n)-[old:SHOWED]->() DELETE old;
UNWIND $rows AS row WITH row WHERE row[16] IS NOT NULL MATCH (n:LifeRecord {key: row[0]}) USING INDEX SEEK n:LifeRecord(key) MERGE (t:Mode {key: row[16]}) ON CREATE SET t:Missing, t.name = row[16] MERGE (n)-[r:SHOWED]->(t);
UNWIND $keys AS key MATCH (n:LifeRecord {key: key}) USING INDEX SEEK n:LifeRecord(key) MATCH (n)-[old:OF]->() DELETE old;
UNWIND $keys AS key MATCH (n:LifeRecord {key: key}) USING INDEX SEEK n:LifeRecord(key) MATCH (n)-[old:FROM_LOT]->() DELETE old;
UNWIND $keys AS key MATCH (n:LifeRecord {key: key}) USING INDEX SEEK n:LifeRecord(key) MATCH (n)-[old:SHOWED]->() DELETE old;
UNWIND $keys AS key MATCH (n:LifeRecord {key: key}) USING INDEX SEEK n:LifeRecord(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:LifeRecord) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.id, n.serial, n.part, n.maker, n.lot, n.event, n.entry, n.age, n.age_to, n.unit, n.count, n.mode, n.mechanism, n.symptom, n.cause, n.effect, n.severity, n.relevant, n.product, n.region, n.version, n.origin, n.stage, toString(n.started_on), toString(n.observed_on), n.downtime_hours, n.repair_hours, n.cost]) AS rows;
UNWIND $keys AS key MATCH (n:LifeRecord {key: key}) USING INDEX SEEK n:LifeRecord(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.id, n.serial, n.part, n.maker, n.lot, n.event, n.entry, n.age, n.age_to, n.unit, n.count, n.mode, n.mechanism, n.symptom, n.cause, n.effect, n.severity, n.relevant, n.product, n.region, n.version, n.origin, n.stage, toString(n.started_on), toString(n.observed_on), n.downtime_hours, n.repair_hours, n.cost]) AS rows;
UNWIND $keys AS key MATCH (n:LifeRecord {key: key}) USING INDEX SEEK n:LifeRecord(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;

// declared_value
UNWIND $rows AS row MERGE (n:DeclaredValue {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], part: row[5], maker: row[6], mode: row[7], metric: row[8], value: row[9], unit: row[10], shape: row[11], low: row[12], high: row[13], confidence: row[14], condition: row[15], name: trim(coalesce(toString(row[8]), '') + ' ' + coalesce(toString(row[15]), ''))} REMOVE n:Missing;
UNWIND $rows AS row WITH row WHERE row[5] IS NOT NULL MATCH (n:DeclaredValue {key: row[0]}) USING INDEX SEEK n:DeclaredValue(key) MERGE (t:Part {key: row[5]}) ON CREATE SET t:Missing, t.name = row[5] MERGE (n)-[r:ABOUT]->(t);
UNWIND $keys AS key MATCH (n:DeclaredValue {key: key}) USING INDEX SEEK n:DeclaredValue(key) MATCH (n)-[old:ABOUT]->() DELETE old;
UNWIND $keys AS key MATCH (n:DeclaredValue {key: key}) USING INDEX SEEK n:DeclaredValue(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:DeclaredValue) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.part, n.maker, n.mode, n.metric, n.value, n.unit, n.shape, n.low, n.high, n.confidence, n.condition]) AS rows;
UNWIND $keys AS key MATCH (n:DeclaredValue {key: key}) USING INDEX SEEK n:DeclaredValue(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.part, n.maker, n.mode, n.metric, n.value, n.unit, n.shape, n.low, n.high, n.confidence, n.condition]) AS rows;
UNWIND $keys AS key MATCH (n:DeclaredValue {key: key}) USING INDEX SEEK n:DeclaredValue(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;

// inspection
UNWIND $rows AS row MERGE (n:Inspection {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], report_no: row[5], part: row[6], maker: row[7], lot: row[8], inspected_on: row[9], received: row[10], checked: row[11], rejected: row[12], ppm: row[13], mode: row[14], disposition: row[15], name: trim(coalesce(toString(row[9]), '') + ' ' + coalesce(toString(row[5]), ''))} REMOVE n:Missing;
UNWIND $rows AS row WITH row WHERE row[6] IS NOT NULL MATCH (n:Inspection {key: row[0]}) USING INDEX SEEK n:Inspection(key) MERGE (t:Part {key: row[6]}) ON CREATE SET t:Missing, t.name = row[6] MERGE (n)-[r:OF]->(t);
UNWIND $rows AS row WITH row WHERE row[8] IS NOT NULL MATCH (n:Inspection {key: row[0]}) USING INDEX SEEK n:Inspection(key) MERGE (t:Lot {key: row[8]}) ON CREATE SET t:Missing, t.name = row[8] MERGE (n)-[r:OF_LOT]->(t);
UNWIND $keys AS key MATCH (n:Inspection {key: key}) USING INDEX SEEK n:Inspection(key) MATCH (n)-[old:OF]->() DELETE old;
UNWIND $keys AS key MATCH (n:Inspection {key: key}) USING INDEX SEEK n:Inspection(key) MATCH (n)-[old:OF_LOT]->() DELETE old;
UNWIND $keys AS key MATCH (n:Inspection {key: key}) USING INDEX SEEK n:Inspection(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:Inspection) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.report_no, n.part, n.maker, n.lot, toString(n.inspected_on), n.received, n.checked, n.rejected, n.ppm, n.mode, n.disposition]) AS rows;
UNWIND $keys AS key MATCH (n:Inspection {key: key}) USING INDEX SEEK n:Inspection(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.report_no, n.part, n.maker, n.lot, toString(n.inspected_on), n.received, n.checked, n.rejected, n.ppm, n.mode, n.disposition]) AS rows;
UNWIND $keys AS key MATCH (n:Inspection {key: key}) USING INDEX SEEK n:Inspection(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;

// reliability_test
UNWIND $rows AS row MERGE (n:ReliabilityTest {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], report_no: row[5], part: row[6], maker: row[7], lot: row[8], test: row[9], standard: row[10], condition: row[11], units: row[12], duration: row[13], unit: row[14], failures: row[15], acceleration: row[16], mode: row[17], result: row[18], tested_on: row[19], laboratory: row[20], name: trim(coalesce(toString(row[9]), '') + ' ' + coalesce(toString(row[5]), '') + ' ' + coalesce(toString(row[19]), ''))} REMOVE n:Missing;
UNWIND $rows AS row WITH row WHERE row[6] IS NOT NULL MATCH (n:ReliabilityTest {key: row[0]}) USING INDEX SEEK n:ReliabilityTest(key) MERGE (t:Part {key: row[6]}) ON CREATE SET t:Missing, t.name = row[6] MERGE (n)-[r:OF]->(t);
UNWIND $keys AS key MATCH (n:ReliabilityTest {key: key}) USING INDEX SEEK n:ReliabilityTest(key) MATCH (n)-[old:OF]->() DELETE old;
UNWIND $keys AS key MATCH (n:ReliabilityTest {key: key}) USING INDEX SEEK n:ReliabilityTest(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:ReliabilityTest) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.report_no, n.part, n.maker, n.lot, n.test, n.standard, n.condition, n.units, n.duration, n.unit, n.failures, n.acceleration, n.mode, n.result, toString(n.tested_on), n.laboratory]) AS rows;
UNWIND $keys AS key MATCH (n:ReliabilityTest {key: key}) USING INDEX SEEK n:ReliabilityTest(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.report_no, n.part, n.maker, n.lot, n.test, n.standard, n.condition, n.units, n.duration, n.unit, n.failures, n.acceleration, n.mode, n.result, toString(n.tested_on), n.laboratory]) AS rows;
UNWIND $keys AS key MATCH (n:ReliabilityTest {key: key}) USING INDEX SEEK n:ReliabilityTest(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;

// fmea_item
UNWIND $rows AS row MERGE (n:FmeaItem {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], part: row[5], function: row[6], mode: row[7], effect: row[8], severity: row[9], severity_class: row[10], cause: row[11], occurrence: row[12], prevention: row[13], detection_control: row[14], detection: row[15], rpn: row[16], priority: row[17], action: row[18], due_on: row[19], revised_on: row[20], name: trim(coalesce(toString(row[6]), '') + ' ' + coalesce(toString(row[8]), '') + ' ' + coalesce(toString(row[11]), ''))} REMOVE n:Missing;
UNWIND $rows AS row WITH row WHERE row[5] IS NOT NULL MATCH (n:FmeaItem {key: row[0]}) USING INDEX SEEK n:FmeaItem(key) MERGE (t:Part {key: row[5]}) ON CREATE SET t:Missing, t.name = row[5] MERGE (n)-[r:OF]->(t);
UNWIND $rows AS row WITH row WHERE row[7] IS NOT NULL MATCH (n:FmeaItem {key: row[0]}) USING INDEX SEEK n:FmeaItem(key) MERGE (t:Mode {key: row[7]}) ON CREATE SET t:Missing, t.name = row[7] MERGE (n)-[r:ABOUT]->(t);
UNWIND $keys AS key MATCH (n:FmeaItem {key: key}) USING INDEX SEEK n:FmeaItem(key) MATCH (n)-[old:OF]->() DELETE old;
UNWIND $keys AS key MATCH (n:FmeaItem {key: key}) USING INDEX SEEK n:FmeaItem(key) MATCH (n)-[old:ABOUT]->() DELETE old;
UNWIND $keys AS key MATCH (n:FmeaItem {key: key}) USING INDEX SEEK n:FmeaItem(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:FmeaItem) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.part, n.function, n.mode, n.effect, n.severity, n.severity_class, n.cause, n.occurrence, n.prevention, n.detection_control, n.detection, n.rpn, n.priority, n.action, toString(n.due_on), toString(n.revised_on)]) AS rows;
UNWIND $keys AS key MATCH (n:FmeaItem {key: key}) USING INDEX SEEK n:FmeaItem(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.part, n.function, n.mode, n.effect, n.severity, n.severity_class, n.cause, n.occurrence, n.prevention, n.detection_control, n.detection, n.rpn, n.priority, n.action, toString(n.due_on), toString(n.revised_on)]) AS rows;
UNWIND $keys AS key MATCH (n:FmeaItem {key: key}) USING INDEX SEEK n:FmeaItem(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;

// problem
UNWIND $rows AS row MERGE (n:Problem {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], id: row[5], part: row[6], maker: row[7], lot: row[8], customer: row[9], problem: row[10], mode: row[11], quantity: row[12], containment: row[13], root_cause: row[14], escape_cause: row[15], corrective_action: row[16], prevention: row[17], state: row[18], opened_on: row[19], closed_on: row[20], name: toString(row[5])} REMOVE n:Missing;
UNWIND $rows AS row MATCH (n:Problem {key: row[0]}) USING INDEX SEEK n:Problem(key) MATCH (n)-[old:ABOUT]->() DELETE old;
UNWIND $rows AS row WITH row WHERE row[6] IS NOT NULL MATCH (n:Problem {key: row[0]}) USING INDEX SEEK n:Problem(key) MERGE (t:Part {key: row[6]}) ON CREATE SET t:Missing, t.name = row[6] MERGE (n)-[r:ABOUT]->(t);
UNWIND $keys AS key MATCH (n:Problem {key: key}) USING INDEX SEEK n:Problem(key) MATCH (n)-[old:ABOUT]->() DELETE old;
UNWIND $keys AS key MATCH (n:Problem {key: key}) USING INDEX SEEK n:Problem(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:Problem) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.id, n.part, n.maker, n.lot, n.customer, n.problem, n.mode, n.quantity, n.containment, n.root_cause, n.escape_cause, n.corrective_action, n.prevention, n.state, toString(n.opened_on), toString(n.closed_on)]) AS rows;
UNWIND $keys AS key MATCH (n:Problem {key: key}) USING INDEX SEEK n:Problem(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.id, n.part, n.maker, n.lot, n.customer, n.problem, n.mode, n.quantity, n.containment, n.root_cause, n.escape_cause, n.corrective_action, n.prevention, n.state, toString(n.opened_on), toString(n.closed_on)]) AS rows;
UNWIND $keys AS key MATCH (n:Problem {key: key}) USING INDEX SEEK n:Problem(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;

// change_notice
UNWIND $rows AS row MERGE (n:ChangeNotice {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], id: row[5], part: row[6], maker: row[7], category: row[8], description: row[9], reason: row[10], impact: row[11], announced_on: row[12], effective_on: row[13], first_lot: row[14], last_order_on: row[15], last_delivery_on: row[16], replacement: row[17], state: row[18], name: toString(row[5])} REMOVE n:Missing;
UNWIND $rows AS row WITH row WHERE row[6] IS NOT NULL MATCH (n:ChangeNotice {key: row[0]}) USING INDEX SEEK n:ChangeNotice(key) MERGE (t:Part {key: row[6]}) ON CREATE SET t:Missing, t.name = row[6] MERGE (n)-[r:ABOUT]->(t);
UNWIND $keys AS key MATCH (n:ChangeNotice {key: key}) USING INDEX SEEK n:ChangeNotice(key) MATCH (n)-[old:ABOUT]->() DELETE old;
UNWIND $keys AS key MATCH (n:ChangeNotice {key: key}) USING INDEX SEEK n:ChangeNotice(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:ChangeNotice) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.id, n.part, n.maker, n.category, n.description, n.reason, n.impact, toString(n.announced_on), toString(n.effective_on), n.first_lot, toString(n.last_order_on), toString(n.last_delivery_on), n.replacement, n.state]) AS rows;
UNWIND $keys AS key MATCH (n:ChangeNotice {key: key}) USING INDEX SEEK n:ChangeNotice(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.id, n.part, n.maker, n.category, n.description, n.reason, n.impact, toString(n.announced_on), toString(n.effective_on), n.first_lot, toString(n.last_order_on), toString(n.last_delivery_on), n.replacement, n.state]) AS rows;
UNWIND $keys AS key MATCH (n:ChangeNotice {key: key}) USING INDEX SEEK n:ChangeNotice(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;

// approval
UNWIND $rows AS row MERGE (n:Approval {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], supplier: row[5], customer: row[6], part: row[7], category: row[8], status: row[9], grade: row[10], certificates: row[11], valid_from: row[12], valid_to: row[13], name: toString(row[8])} REMOVE n:Missing;
UNWIND $rows AS row WITH row WHERE row[5] IS NOT NULL MATCH (n:Approval {key: row[0]}) USING INDEX SEEK n:Approval(key) MERGE (t:Organisation {key: row[5]}) ON CREATE SET t:Missing, t.name = row[5] MERGE (n)-[r:OF]->(t);
UNWIND $keys AS key MATCH (n:Approval {key: key}) USING INDEX SEEK n:Approval(key) MATCH (n)-[old:OF]->() DELETE old;
UNWIND $keys AS key MATCH (n:Approval {key: key}) USING INDEX SEEK n:Approval(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:Approval) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.supplier, n.customer, n.part, n.category, n.status, n.grade, n.certificates, toString(n.valid_from), toString(n.valid_to)]) AS rows;
UNWIND $keys AS key MATCH (n:Approval {key: key}) USING INDEX SEEK n:Approval(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.supplier, n.customer, n.part, n.category, n.status, n.grade, n.certificates, toString(n.valid_from), toString(n.valid_to)]) AS rows;
UNWIND $keys AS key MATCH (n:Approval {key: key}) USING INDEX SEEK n:Approval(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;

// upload
UNWIND $rows AS row MERGE (n:Upload {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], id: row[5], load: row[6], file: row[7], sha256: row[8], kind: row[9], rows: row[10], taken: row[11], refused: row[12], at: row[13], by: row[14], state: row[15], name: toString(row[5])} REMOVE n:Missing;
UNWIND $keys AS key MATCH (n:Upload {key: key}) USING INDEX SEEK n:Upload(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:Upload) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.id, n.load, n.file, n.sha256, n.kind, n.rows, n.taken, n.refused, n.at.epochSeconds * 1000000 + n.at.microsecond, n.by, n.state]) AS rows;
UNWIND $keys AS key MATCH (n:Upload {key: key}) USING INDEX SEEK n:Upload(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.id, n.load, n.file, n.sha256, n.kind, n.rows, n.taken, n.refused, n.at.epochSeconds * 1000000 + n.at.microsecond, n.by, n.state]) AS rows;
UNWIND $keys AS key MATCH (n:Upload {key: key}) USING INDEX SEEK n:Upload(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;
UNWIND $keys AS key MATCH (t:Upload {key: key}) USING INDEX SEEK t:Upload(key) MATCH (t)<-[:CAME_WITH]-(n:RawRow) RETURN collect(DISTINCT n.key) AS keys;

// raw_row
UNWIND $rows AS row MERGE (n:RawRow {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], source: row[5], number: row[6], data: row[7], name: toString(row[6])} REMOVE n:Missing;
UNWIND $rows AS row WITH row WHERE row[5] IS NOT NULL MATCH (n:RawRow {key: row[0]}) USING INDEX SEEK n:RawRow(key) MERGE (t:Upload {key: row[5]}) ON CREATE SET t:Missing, t.name = row[5] MERGE (n)-[r:CAME_WITH]->(t);
UNWIND $keys AS key MATCH (n:RawRow {key: key}) USING INDEX SEEK n:RawRow(key) MATCH (n)-[old:CAME_WITH]->() DELETE old;
UNWIND $keys AS key MATCH (n:RawRow {key: key}) USING INDEX SEEK n:RawRow(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:RawRow) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.source, n.number, n.data]) AS rows;
UNWIND $keys AS key MATCH (n:RawRow {key: key}) USING INDEX SEEK n:RawRow(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.source, n.number, n.data]) AS rows;
UNWIND $keys AS key MATCH (n:RawRow {key: key}) USING INDEX SEEK n:RawRow(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;

// agreement
UNWIND $rows AS row MERGE (n:Agreement {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], id: row[5], version: row[6], grantee: row[7], records: row[8], aspects: row[9], purposes: row[10], start: row[11], end: row[12], onward: row[13], at_end: row[14], mode: row[15], state: row[16], proposed_by: row[17], changed_at: row[18], note: row[19], name: trim(coalesce(toString(row[5]), '') + ' ' + coalesce(toString(row[6]), ''))} REMOVE n:Missing;
UNWIND $rows AS row MATCH (n:Agreement {key: row[0]}) USING INDEX SEEK n:Agreement(key) MATCH (n)<-[old:PROPOSED]-() DELETE old;
UNWIND $rows AS row WITH row WHERE row[17] IS NOT NULL MATCH (n:Agreement {key: row[0]}) USING INDEX SEEK n:Agreement(key) MERGE (t:Organisation {key: row[17]}) ON CREATE SET t:Missing, t.name = row[17] MERGE (n)<-[r:PROPOSED]-(t);
UNWIND $keys AS key MATCH (n:Agreement {key: key}) USING INDEX SEEK n:Agreement(key) MATCH (n)<-[old:PROPOSED]-() DELETE old;
UNWIND $keys AS key MATCH (n:Agreement {key: key}) USING INDEX SEEK n:Agreement(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:Agreement) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.id, n.version, n.grantee, n.records, n.aspects, n.purposes, n.start.epochSeconds * 1000000 + n.start.microsecond, n.end.epochSeconds * 1000000 + n.end.microsecond, n.onward, n.at_end, n.mode, n.state, n.proposed_by, n.changed_at.epochSeconds * 1000000 + n.changed_at.microsecond, n.note]) AS rows;
UNWIND $keys AS key MATCH (n:Agreement {key: key}) USING INDEX SEEK n:Agreement(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.id, n.version, n.grantee, n.records, n.aspects, n.purposes, n.start.epochSeconds * 1000000 + n.start.microsecond, n.end.epochSeconds * 1000000 + n.end.microsecond, n.onward, n.at_end, n.mode, n.state, n.proposed_by, n.changed_at.epochSeconds * 1000000 + n.changed_at.microsecond, n.note]) AS rows;
UNWIND $keys AS key MATCH (n:Agreement {key: key}) USING INDEX SEEK n:Agreement(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;

// identity_request
UNWIND $rows AS row MERGE (n:IdentityRequest {key: row[0]}) SET n = {key: row[0], owner: row[1], upload: row[2], row: row[3], extra: row[4], id: row[5], asked: row[6], requester: row[7], pseudonym: row[8], subject: row[9], purpose: row[10], reason: row[11], state: row[12], at: row[13], until: row[14], changed_at: row[15], name: toString(row[5])} REMOVE n:Missing;
UNWIND $rows AS row WITH row WHERE row[6] IS NOT NULL MATCH (n:IdentityRequest {key: row[0]}) USING INDEX SEEK n:IdentityRequest(key) MERGE (t:Organisation {key: row[6]}) ON CREATE SET t:Missing, t.name = row[6] MERGE (n)-[r:OF]->(t);
UNWIND $rows AS row MATCH (n:IdentityRequest {key: row[0]}) USING INDEX SEEK n:IdentityRequest(key) MATCH (n)<-[old:ASKS]-() DELETE old;
UNWIND $rows AS row WITH row WHERE row[7] IS NOT NULL MATCH (n:IdentityRequest {key: row[0]}) USING INDEX SEEK n:IdentityRequest(key) MERGE (t:Organisation {key: row[7]}) ON CREATE SET t:Missing, t.name = row[7] MERGE (n)<-[r:ASKS]-(t);
UNWIND $keys AS key MATCH (n:IdentityRequest {key: key}) USING INDEX SEEK n:IdentityRequest(key) MATCH (n)-[old:OF]->() DELETE old;
UNWIND $keys AS key MATCH (n:IdentityRequest {key: key}) USING INDEX SEEK n:IdentityRequest(key) MATCH (n)<-[old:ASKS]-() DELETE old;
UNWIND $keys AS key MATCH (n:IdentityRequest {key: key}) USING INDEX SEEK n:IdentityRequest(key) SET n = {key: key, name: key} SET n:Missing;
MATCH (n:IdentityRequest) WHERE n.key > $after AND NOT n:Missing WITH n ORDER BY n.key LIMIT $batch RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.id, n.asked, n.requester, n.pseudonym, n.subject, n.purpose, n.reason, n.state, n.at.epochSeconds * 1000000 + n.at.microsecond, n.until.epochSeconds * 1000000 + n.until.microsecond, n.changed_at.epochSeconds * 1000000 + n.changed_at.microsecond]) AS rows;
UNWIND $keys AS key MATCH (n:IdentityRequest {key: key}) USING INDEX SEEK n:IdentityRequest(key) WHERE NOT n:Missing RETURN collect([n.key, n.owner, n.upload, n.row, n.extra, n.id, n.asked, n.requester, n.pseudonym, n.subject, n.purpose, n.reason, n.state, n.at.epochSeconds * 1000000 + n.at.microsecond, n.until.epochSeconds * 1000000 + n.until.microsecond, n.changed_at.epochSeconds * 1000000 + n.changed_at.microsecond]) AS rows;
UNWIND $keys AS key MATCH (n:IdentityRequest {key: key}) USING INDEX SEEK n:IdentityRequest(key) WHERE NOT n:Missing RETURN collect(n.key) AS keys;
