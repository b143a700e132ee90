{{- define "limpet.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Limited to 49 bytes, because the longest suffix, "-affinity-keys", adds 14. */}}
{{- define "limpet.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 49 | trimSuffix "-" -}}
{{- else if contains (include "limpet.name" .) .Release.Name -}}
{{- .Release.Name | trunc 49 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "limpet.name" .) | trunc 49 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The name of cluster-scoped objects. It differs between releases with the same name in different namespaces. */}}
{{- define "limpet.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "limpet.fullname" .) -}}
{{- end -}}

{{- define "limpet.selector" -}}
app.kubernetes.io/name: {{ include "limpet.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "limpet.labels" -}}
{{ include "limpet.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "limpet.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "limpet.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "limpet.keySecret" -}}
{{- default (printf "%s-affinity-keys" (include "limpet.fullname" .)) .Values.affinityKeys.secretName -}}
{{- end -}}

{{- define "limpet.lease" -}}
{{- printf "%s-leader" (include "limpet.fullname" .) -}}
{{- end -}}

{{- define "limpet.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* "true" if a listener has a port that requires root or CAP_NET_BIND_SERVICE. */}}
{{- define "limpet.lowPorts" -}}
{{- with .Values.listeners -}}
{{- if or (and .http.enabled (lt (int .http.port) 1024)) (and .https.enabled (lt (int .https.port) 1024)) (lt (int .metrics.port) 1024) (lt (int .admin.port) 1024) -}}
true
{{- end -}}
{{- end -}}
{{- end -}}

{{/* "true" if the pods use ports of their node, so that a node can run only one of them. */}}
{{- define "limpet.takesNodePorts" -}}
{{- if or .Values.hostNetwork .Values.listeners.http.hostPort .Values.listeners.https.hostPort -}}
true
{{- end -}}
{{- end -}}

{{/* "true" if HTTP/3 is served on the HTTPS port. */}}
{{- define "limpet.http3" -}}
{{- with .Values.listeners.https -}}
{{- if and .enabled .http3 -}}
true
{{- end -}}
{{- end -}}
{{- end -}}

{{/* "true" for a rule of a role that only the leader needs. With shadow there is no leader. */}}
{{- define "limpet.leaderOnly" -}}
{{- if or (has "patch" .verbs) (has "update" .verbs) (has "events" .resources) (has "leases" .resources) -}}
true
{{- end -}}
{{- end -}}

{{/* The arguments of the container, as a YAML list. */}}
{{- define "limpet.args" -}}
- run
{{- range prepend .Values.ingressClass.alsoServe .Values.ingressClass.name }}
- --ingress-class={{ . }}
{{- end }}
{{- if .Values.shadow }}
- --shadow
{{- end }}
- --http-addr={{ if .Values.listeners.http.enabled }}:{{ .Values.listeners.http.port }}{{ end }}
- --https-addr={{ if .Values.listeners.https.enabled }}:{{ .Values.listeners.https.port }}{{ end }}
{{- if include "limpet.http3" . }}
- --http3-addr=:{{ .Values.listeners.https.port }}
{{- end }}
- --probe-addr=:{{ .Values.listeners.metrics.port }}
- --admin-addr={{ if not .Values.listeners.admin.expose }}127.0.0.1{{ end }}:{{ .Values.listeners.admin.port }}
{{- if .Values.hostNetwork }}
- --admin-trust-loopback=false
{{- end }}
{{- if .Values.listeners.admin.tokenSecret }}
- --admin-token-file=/etc/limpet/admin/token
{{- end }}
{{- if .Values.listeners.admin.controlTokenSecret }}
- --admin-control-token-file=/etc/limpet/admin-control/token
{{- end }}
{{- if .Values.listeners.admin.tokenReview }}
- --admin-token-review
{{- end }}
{{- if .Values.publishAddresses }}
{{- range .Values.publishAddresses }}
- --publish-address={{ . }}
{{- end }}
{{- else if .Values.service.enabled }}
- --publish-service={{ .Release.Namespace }}/{{ include "limpet.fullname" . }}
{{- end }}
{{- if and .Values.podDeletionCost.enabled (not .Values.shadow) }}
- --pod-deletion-cost
{{- end }}
{{- with .Values.trustedProxies }}
- --trusted-proxies={{ join "," . }}
{{- end }}
{{- with .Values.externalNames }}
- {{ printf "--external-names=%s" (join "," .) | quote }}
{{- end }}
{{- with .Values.proxyProtocol }}
- --proxy-protocol={{ join "," . }}
{{- end }}
{{- with .Values.maxConnections.total }}
- --max-connections={{ . }}
{{- end }}
{{- with .Values.maxConnections.perClient }}
- --max-connections-per-client={{ . }}
{{- end }}
{{- with .Values.watchNamespaces }}
- --watch-namespace={{ join "," . }}
{{- end }}
{{- with .Values.defaultBackendService }}
- --default-backend-service={{ . }}
{{- end }}
{{- with .Values.nginx.configMap }}
- --nginx-configmap={{ . }}
{{- end }}
{{- with .Values.nginx.unenforcedKeys }}
- --nginx-unenforced-keys={{ join "," . }}
{{- end }}
- --host-routes={{ .Values.hosts.routes }}
- --unmatched-paths={{ .Values.hosts.unmatchedPaths }}
{{- with .Values.hosts.acmeNamespaces }}
- --acme-namespaces={{ join "," . }}
{{- end }}
{{- with .Values.tls.defaultCertificate }}
- --default-certificate={{ . }}
{{- end }}
- --tls-min-version={{ .Values.tls.minVersion }}
{{- with .Values.tls.hsts }}
- {{ printf "--hsts=%s" . | quote }}
{{- end }}
{{- with .Values.tls.ciphers }}
- --tls-ciphers={{ join "," . }}
{{- end }}
{{- with .Values.unenforcedProtection }}
- --unenforced-protection={{ . }}
{{- end }}
{{- with .Values.metrics.detail }}
- --metrics-detail={{ . }}
{{- end }}
{{- if not (kindIs "invalid" .Values.metrics.maxSeries) }}
- --metrics-max-series={{ int64 .Values.metrics.maxSeries }}
{{- end }}
{{- with .Values.tracing.endpoint }}
- {{ printf "--tracing-endpoint=%s" . | quote }}
- --tracing-sample-ratio={{ $.Values.tracing.sampleRatio }}
{{- end }}
- --log-format={{ .Values.log.format }}
- --log-level={{ .Values.log.level }}
- --access-log={{ .Values.log.access }}
{{- with .Values.log.accessFields }}
- --access-log-fields={{ join "," . }}
{{- end }}
{{- if ne (float64 .Values.log.accessSampleRatio) 1.0 }}
- --access-log-sample-ratio={{ .Values.log.accessSampleRatio }}
{{- end }}
- --affinity-secret={{ include "limpet.keySecret" . }}
- --key-rotation={{ .Values.affinityKeys.rotation }}
- --leader-lease={{ include "limpet.lease" . }}
{{- if ne .Values.rbac.secrets.scope "Cluster" }}
- --secret-namespaces={{ include "limpet.secretNamespaces" . }}
{{- end }}
{{- if not .Values.sessionStore.secret.name }}
- --session-store={{ .Values.sessionStore.url }}
{{- end }}
{{- with .Values.zone }}
- --zone={{ . }}
{{- end }}
- --stop-delay={{ .Values.stop.delaySeconds }}s
- --stop-timeout={{ .Values.stop.timeoutSeconds }}s
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The comma-separated namespaces whose Secrets are read, unless all Secrets of the cluster are read. */}}
{{- define "limpet.secretNamespaces" -}}
{{- $namespaces := append .Values.rbac.secrets.namespaces .Release.Namespace }}
{{- with .Values.tls.defaultCertificate }}
{{- $namespaces = append $namespaces (splitList "/" . | first) }}
{{- end }}
{{- $namespaces | uniq | sortAlpha | join "," }}
{{- end }}
