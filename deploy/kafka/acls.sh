#!/usr/bin/env bash
# The rights that Encore's principals need at Kafka, and no others; deploy/README.md says who they are.
# Run it as an administrator; again, after a name has changed. ENCORE_* are the workers' settings.
set -euo pipefail

: "${BOOTSTRAP:?is empty: set it to HOST:PORT of a broker}"
: "${COMMAND_CONFIG:?is empty: set it to a file of client properties by which the administrator logs in}"
KAFKA_ACLS=${KAFKA_ACLS:-kafka-acls.sh}

APP_ID=${ENCORE_APP_ID:-encore}
SOURCE_TOPIC=${ENCORE_SOURCE_TOPIC:-playback-events}
TITLES_TOPIC=${ENCORE_TITLES_TOPIC:-titles}
ERASURES_TOPIC=${ENCORE_ERASURES_TOPIC:-encore-erasures}
MILESTONES_TOPIC=${ENCORE_MILESTONES_TOPIC:-encore-milestones}
DEAD_LETTERS_TOPIC=${ENCORE_DEAD_LETTERS_TOPIC:-encore-dead-letters}
LATE_TOPIC=${ENCORE_LATE_TOPIC:-encore-late}
STATE_TOPIC=$APP_ID-state

# allow PRINCIPAL OPERATIONS RESOURCES
allow() {
  local principal=$1 operations=() operation
  for operation in $2; do operations+=(--operation "$operation"); done
  shift 2
  "$KAFKA_ACLS" --bootstrap-server "$BOOTSTRAP" --command-config "$COMMAND_CONFIG" \
    --add --allow-principal "User:$principal" "${operations[@]}" "$@"
}

# A worker. It makes missing topics where it may; here it may not: an administrator runs `encore topics ensure`.
allow worker "Read" --topic "$SOURCE_TOPIC" --topic "$TITLES_TOPIC" --topic "$ERASURES_TOPIC"
allow worker "Read Write" --topic "$STATE_TOPIC"
allow worker "Write" --topic "$MILESTONES_TOPIC" --topic "$DEAD_LETTERS_TOPIC" --topic "$LATE_TOPIC"
allow worker "Read" --group "$APP_ID"
# Its readers without a group give librdkafka a name for one.
allow worker "Describe" --group encore-catalog --group encore-erasures --group encore-restore
allow worker "Write" --transactional-id "$APP_ID-" --resource-pattern-type prefixed

# Who archives the source: `encore archive`. It commits nothing.
allow archiver "Read" --topic "$SOURCE_TOPIC"
allow archiver "Read" --group "$APP_ID-archive"

# Who translates topics of other players: `encore bridge`. BRIDGE_TOPICS: these topics, and that of the households, if any.
# Its own topics an administrator makes: `encore topics ensure --bridge FORMAT=TOPIC`.
for topic in ${BRIDGE_TOPICS:-}; do allow bridge "Read" --topic "$topic"; done
allow bridge "Write" --topic "$SOURCE_TOPIC"
allow bridge "Read Write" --topic "$APP_ID-bridge-" --resource-pattern-type prefixed
allow bridge "Read" --group "$APP_ID-bridge-" --resource-pattern-type prefixed
allow bridge "Describe" --group encore-households --group encore-restore
allow bridge "Write" --transactional-id "$APP_ID-bridge-" --resource-pattern-type prefixed

# Who sends dead letters again: `encore dead-letters replay`. The command makes the topic that remembers what was sent.
allow replayer "Read" --topic "$DEAD_LETTERS_TOPIC"
allow replayer "Write" --topic "$SOURCE_TOPIC"
allow replayer "Create Read Write" --topic "$APP_ID-replayed"
allow replayer "Describe" --group encore-verify
# A bridge's dead letters go to the foreign topic.
for topic in ${BRIDGE_TOPICS:-}; do
  allow replayer "Write" --topic "$topic"
  allow replayer "Read" --topic "$APP_ID-bridge-" --resource-pattern-type prefixed
done

# What starts and stops workers by how far they are behind: KEDA.
allow autoscaler "Describe" --topic "$SOURCE_TOPIC"
allow autoscaler "Describe" --group "$APP_ID"

# Who sends playback events, and who keeps the catalog.
allow producer "Write" --topic "$SOURCE_TOPIC" --topic "$TITLES_TOPIC"

# Who takes events by HTTP: `encore collect`. For each source of another format, add its topic.
allow collector "Write" --topic "$SOURCE_TOPIC"

# Who has households forgotten: `encore forget`.
allow eraser "Write" --topic "$ERASURES_TOPIC"
allow eraser "Describe" --topic "$SOURCE_TOPIC"
allow eraser "Read" --topic "$STATE_TOPIC"
allow eraser "Describe" --group encore-verify

# Who reads the milestones, in groups that begin with the topic's name.
allow milestones "Read" --topic "$MILESTONES_TOPIC"
allow milestones "Read" --group "$MILESTONES_TOPIC" --resource-pattern-type prefixed

# Who looks and changes nothing: `encore verify`, `lag`, `doctor`, `dead-letters list`.
allow auditor "Read DescribeConfigs" --topic "$SOURCE_TOPIC" --topic "$TITLES_TOPIC" --topic "$STATE_TOPIC" \
  --topic "$ERASURES_TOPIC" --topic "$MILESTONES_TOPIC" --topic "$DEAD_LETTERS_TOPIC" --topic "$LATE_TOPIC"
allow auditor "Describe" --group "$APP_ID" --group encore-verify --group encore-restore --group "$SOURCE_TOPIC"
# The doctor also looks at how the brokers guard transactions.
allow auditor "DescribeConfigs" --cluster
