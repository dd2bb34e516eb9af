{{/* Parts of several objects. Each takes (dict "root" $ "component" "worker"), and what it says besides. */}}

{{/* The labels that objects are selected by; `of`: which of several of its kind. */}}
{{- define "encore.labels" -}}
{app.kubernetes.io/name: encore, app.kubernetes.io/instance: {{ .root.Release.Name }}, app.kubernetes.io/component: {{ .component }}
{{- with .of }}, encore/name: {{ . }}{{ end }}}
{{- end }}

{{- define "encore.image" -}}
{{ with .root.Values.image.registry }}{{ . }}/{{ end }}{{ .image | default "encore-viewing" }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- define "encore.settings" -}}
{{ .root.Values.existingSettings | default (printf "%s-settings" .root.Release.Name) }}
{{- end }}

{{/* A changed setting is rolled out like a changed image. Kustomize does the same by the ConfigMap's name. */}}
{{- define "encore.podMetadata" -}}
labels: {{ include "encore.labels" . }}
{{- if not .root.Values.existingSettings }}
annotations: {encore/settings: {{ toJson .root.Values.settings | sha256sum }}}
{{- end }}
{{- end }}

{{/* What every pod is: nobody in particular, who asks nothing of Kubernetes. `podSpec`: what the values add. */}}
{{- define "encore.podSpec" -}}
automountServiceAccountToken: false
{{- if not .noAccount }}
serviceAccountName: {{ .root.Release.Name }}-{{ .component }}
{{- end }}
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .podSpec }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Over machines and zones, as far as that is possible. */}}
{{- define "encore.spread" -}}
topologySpreadConstraints:
  - topologyKey: kubernetes.io/hostname
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "encore.labels" . }}
  - topologyKey: topology.kubernetes.io/zone
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "encore.labels" . }}
{{- end }}

{{/* What every container is: its image, its settings, and nothing that it may do. */}}
{{- define "encore.container" -}}
image: {{ include "encore.image" . }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
envFrom:
  - configMapRef: {name: {{ include "encore.settings" . }}}
  - secretRef: {name: {{ .secret }}}
{{ include "encore.restricted" . }}
{{- end }}

{{- define "encore.restricted" -}}
resources:
  {{- toYaml .resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "encore.hasCa" -}}
{{ if or .root.Values.ca.secret .root.Values.ca.configMap }}yes{{ end }}
{{- end }}

{{/* Items of env, volumeMounts and volumes. */}}
{{- define "encore.caEnv" -}}
{{- if include "encore.hasCa" . -}}
- {name: ENCORE_KAFKA_CA_FILE, value: /etc/encore/ca/{{ .root.Values.ca.key }}}
- {name: ENCORE_REDIS_CA_FILE, value: /etc/encore/ca/{{ .root.Values.ca.key }}}
{{- end }}
{{- end }}

{{- define "encore.caMount" -}}
{{- if include "encore.hasCa" . -}}
- {name: ca, mountPath: /etc/encore/ca, readOnly: true}
{{- end }}
{{- end }}

{{- define "encore.caVolume" -}}
{{- if .root.Values.ca.secret -}}
- name: ca
  secret: {secretName: {{ .root.Values.ca.secret }}}
{{- else if .root.Values.ca.configMap -}}
- name: ca
  configMap: {name: {{ .root.Values.ca.configMap }}}
{{- end }}
{{- end }}

{{/* `to`: ports that it talks to; `asked`: the port that an ingress asks; `measured`: whether Prometheus asks. */}}
{{- define "encore.networkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .root.Release.Name }}-{{ .component }}
spec:
  podSelector:
    matchLabels: {{ include "encore.labels" . }}
  policyTypes: [Ingress, Egress]
  {{- if or .asked .measured }}
  ingress:
    {{- with .asked }}
    - from:
        - namespaceSelector:
            matchLabels: {kubernetes.io/metadata.name: {{ $.root.Values.networkPolicy.ingress }}}
      ports:
        - {port: {{ . }}, protocol: TCP}
    {{- end }}
    {{- if .measured }}
    - from:
        - namespaceSelector:
            matchLabels: {kubernetes.io/metadata.name: {{ .root.Values.networkPolicy.monitoring }}}
      ports:
        - {port: metrics, protocol: TCP}
    {{- end }}
  {{- end }}
  egress:
    - to:
        - namespaceSelector:
            matchLabels: {kubernetes.io/metadata.name: {{ .root.Values.networkPolicy.dns }}}
      ports:
        - {port: 53, protocol: UDP}
        - {port: 53, protocol: TCP}
    - ports:
        {{- range .to }}
        - {port: {{ . }}, protocol: TCP}
        {{- end }}
{{- end }}

{{- define "encore.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .root.Release.Name }}-{{ .component }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end }}

