{{/* The pod template that the Deployment and the DaemonSet share. */}}
{{- define "limpet.pod" -}}
metadata:
  labels:
    {{- include "limpet.selector" . | nindent 4 }}
    app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "limpet.serviceAccount" . }}
  # No LIMPET_* variables for Services: Limpet reads its flags from such names.
  enableServiceLinks: false
  # A few seconds longer than Limpet takes to stop.
  terminationGracePeriodSeconds: {{ add .Values.stop.delaySeconds .Values.stop.timeoutSeconds 5 }}
  {{- if .Values.hostNetwork }}
  hostNetwork: true
  dnsPolicy: ClusterFirstWithHostNet
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  securityContext:
    {{- include "limpet.podSecurity" . | nindent 4 }}
  containers:
    - name: limpet
      image: {{ include "limpet.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        {{- include "limpet.args" . | nindent 8 }}
      env:
        - name: POD_NAMESPACE
          valueFrom:
            fieldRef:
              fieldPath: metadata.namespace
        - name: POD_IPS
          valueFrom:
            fieldRef:
              fieldPath: status.podIPs
        {{- if not .Values.zone }}
        - name: LIMPET_ZONE
          valueFrom:
            fieldRef:
              fieldPath: metadata.labels['topology.kubernetes.io/zone']
        {{- end }}
        {{- with .Values.sessionStore.secret }}
        {{- if .name }}
        - name: LIMPET_SESSION_STORE
          valueFrom:
            secretKeyRef:
              name: {{ .name }}
              key: {{ .key }}
        {{- end }}
        {{- end }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        {{- range $name := list "http" "https" }}
        {{- with index $.Values.listeners $name }}
        {{- if .enabled }}
        - name: {{ $name }}
          containerPort: {{ .port }}
          {{- with .hostPort }}
          hostPort: {{ . }}
          {{- end }}
        {{- end }}
        {{- end }}
        {{- end }}
        {{- if include "limpet.http3" . }}
        - name: http3
          containerPort: {{ .Values.listeners.https.port }}
          protocol: UDP
          {{- with .Values.listeners.https.hostPort }}
          hostPort: {{ . }}
          {{- end }}
        {{- end }}
        - name: metrics
          containerPort: {{ .Values.listeners.metrics.port }}
        # limpet status and kubectl limpet find the debug pages by this name.
        - name: admin
          containerPort: {{ .Values.listeners.admin.port }}
      livenessProbe:
        httpGet:
          path: /healthz
          port: metrics
      # Ready when Limpet has read the cluster and serves a table. Not ready as soon as the pod is stopped.
      readinessProbe:
        httpGet:
          path: /readyz
          port: metrics
        periodSeconds: 2
        failureThreshold: 2
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop:
            - ALL
          {{- if include "limpet.lowPorts" . }}
          add:
            - NET_BIND_SERVICE
          {{- end }}
      {{- with (include "limpet.adminTokens" . | fromYaml) }}
      volumeMounts:
        {{- range $name, $secret := . }}
        - name: {{ $name }}-token
          mountPath: /etc/limpet/{{ $name }}
          readOnly: true
        {{- end }}
      {{- end }}
  {{- with (include "limpet.adminTokens" . | fromYaml) }}
  volumes:
    {{- range $name, $secret := . }}
    - name: {{ $name }}-token
      secret:
        secretName: {{ $secret }}
        items:
          - key: token
            path: token
    {{- end }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq .Values.kind "Deployment" }}
  {{- with .Values.topologySpread }}
  topologySpreadConstraints:
    {{- range . }}
    - {{- toYaml . | nindent 6 }}
      labelSelector:
        matchLabels:
          {{- include "limpet.selector" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- end }}
{{- end -}}

{{/* The Secrets with tokens of the admin listener, by directory below /etc/limpet, as a YAML map. */}}
{{- define "limpet.adminTokens" -}}
{{- with .Values.listeners.admin.tokenSecret }}
admin: {{ . }}
{{- end }}
{{- with .Values.listeners.admin.controlTokenSecret }}
admin-control: {{ . }}
{{- end }}
{{- end -}}

{{- define "limpet.podSecurity" -}}
{{- if .Values.runAsRoot -}}
runAsNonRoot: false
runAsUser: 0
runAsGroup: 0
{{- else -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- if and (include "limpet.lowPorts" .) (not .Values.hostNetwork) }}
# Added capabilities have no effect for a process that is not root. This sysctl does, and it is a safe sysctl.
sysctls:
  - name: net.ipv4.ip_unprivileged_port_start
    value: "0"
{{- end }}
{{- end -}}
