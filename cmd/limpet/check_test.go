package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/wait"
)

const checkedIngress = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: app}
spec:
  ingressClassName: nginx
  tls: [{hosts: [app.test], secretName: tls}]
  rules:
  - host: app.test
    http:
      paths:
      - {path: "/", pathType: ImplementationSpecific, backend: {service: {name: app, port: {number: 80}}}}
---
apiVersion: v1
kind: Service
metadata: {name: app}
spec: {ports: [{port: 80}]}
`

const otherIngress = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: other}
spec:
  ingressClassName: traefik
  defaultBackend: {service: {name: missing, port: {number: 80}}}
`

// checkText runs limpet check on standard input.
func checkText(t *testing.T, text string, args ...string) (status int, out, stderr string) {
	t.Helper()
	var stdout, errors output
	cmd := newCheckCommand(streams{&stdout, &errors})
	cmd.SetIn(strings.NewReader(text))
	cmd.SetArgs(append([]string{"-f", "-"}, args...))
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	return exitStatus(cmd.Execute()), stdout.String(), errors.String()
}

func TestCheck_isAGate(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		args   []string
		status int
		says   string
	}{
		"other class": {checkedIngress, nil, exitFailure, "--ingress-class nginx would serve it"},
		"mixed classes": {
			checkedIngress + "---\n" + otherIngress, []string{"--ingress-class", "nginx", "--assume-secrets"}, 0,
			"Ingress default/other: spec.ingressClassName: OtherClass: the class is \"traefik\"",
		},
		"mixed classes, a problem": {checkedIngress + "---\n" + otherIngress, []string{"--ingress-class", "nginx"}, exitFailure, "SecretNotFound"},
		"missing Secret":           {checkedIngress, []string{"--ingress-class", "nginx"}, exitFailure, "SecretNotFound"},
		"assumed Secret":           {checkedIngress, []string{"--ingress-class", "nginx", "--assume-secrets"}, 0, "not checked: 1 references"},
		"old version":              {"apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: a}\n", nil, exitFailure, "UnsupportedVersion"},
		"unknown field":            {"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {novelty: 1}\n", nil, exitFailure, "UnknownField"},
		"a Deployment":             {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n", nil, 0, "standard input:2: kind apps/v1 Deployment"},
		"invalid YAML":             {"a: b: c\n", nil, exitUsage, ""},
		"unknown format":           {"", []string{"-o", "xml"}, exitUsage, ""},
		"nothing to check":         {"", nil, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, out, stderr := checkText(t, c.text, c.args...)
			if status != c.status || !strings.Contains(stderr, c.says) {
				t.Errorf("status %d, want %d with %q; it printed:\n%s%s", status, c.status, c.says, out, stderr)
			}
		})
	}
}

func TestCheck_formats(t *testing.T) {
	args := []string{"--ingress-class", "nginx", "--assume-secrets", "-o"}
	_, table, _ := checkText(t, checkedIngress, append(args, "table")...)
	if lines := strings.Split(table, "\n"); len(lines) < 2 || strings.Join(strings.Fields(lines[1]), " ") !=
		"app.test / Prefix default/app:80 1 none Ingress default/app" {
		t.Errorf("table:\n%s", table)
	}
	_, text, _ := checkText(t, checkedIngress, append(args, "json")...)
	var routes struct{ Routes []struct{ Host string } }
	if err := json.Unmarshal([]byte(text), &routes); err != nil || len(routes.Routes) != 1 || routes.Routes[0].Host != "app.test" {
		t.Errorf("json: %v\n%s", err, text)
	}
}

func TestCheck_repeatedFiles(t *testing.T) {
	dir := t.TempDir()
	objects := strings.Split(checkedIngress, "---\n")
	write(t, dir, "a.yaml", objects[0])
	write(t, dir, "b.yaml", objects[1])
	status, out, stderr := run(t, "check", "-f", filepath.Join(dir, "a.yaml"), "-f", filepath.Join(dir, "b.yaml"),
		"--ingress-class", "nginx", "--assume-secrets")
	if status != 0 || !strings.Contains(out, "host: app.test") {
		t.Errorf("status %d\n%s%s", status, out, stderr)
	}
}

// The metric limpet_problems counts a broken file, and other files keep being read.
func TestDev_oneBrokenFile(t *testing.T) {
	dir := t.TempDir()
	text, err := demoManifests.ReadFile("demo/cart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "cart.yaml", string(text))
	write(t, dir, "other.yaml", "")
	p := start(t, "dev", "--manifests", dir)
	write(t, dir, "other.yaml", "spec: [\n")
	wait.Until(t, "the broken file is counted", func() bool {
		return strings.Contains(get(p.admin, "/metrics"), "\nlimpet_problems{reason=\"InvalidFile\"} 1\n")
	})
	write(t, dir, "cart.yaml", "")
	wait.Until(t, "another file is applied", func() bool { return strings.Contains(get(p.http, "/"), "No route") })
	p.stop(t)
}

// The report has a summary, then each Ingress that is not exact. Notes do not change the exit status.
func TestCheck_report(t *testing.T) {
	sticky := strings.Replace(checkedIngress, "metadata: {name: app}", `metadata:
  name: app
  annotations:
    nginx.ingress.kubernetes.io/affinity: cookie
    nginx.ingress.kubernetes.io/affinity-mode: balanced`, 1)
	args := []string{"--ingress-class", "nginx", "--assume-secrets", "-o"}
	status, out, _ := checkText(t, sticky, append(args, "report")...)
	const implicit = "Without an annotation, Ingresses of classes of ingress-nginx have " +
		"hsts: max-age=31536000; includeSubDomains, proxy-body-size: 1048576, proxy-connect-timeout: 5, " +
		"proxy-next-upstream-tries: 3, proxy-read-timeout: 60, proxy-send-timeout: 60, ssl-redirect: true\n"
	want := "1 Ingresses: 0 exact, 1 with differences, 0 closed\n" + implicit + "\nIngress default/app: with differences\n"
	if status != 0 || !strings.HasPrefix(out, want) || !strings.Contains(out, "affinity-mode: differs: sessions do not move") {
		t.Errorf("status %d\n%s", status, out)
	}
	exact := strings.Replace(sticky, "affinity: cookie", "proxy-body-size: 8m", 1)
	exact = strings.Replace(exact, "balanced", "persistent", 1)
	if status, out, _ := checkText(t, exact, append(args, "report")...); status != 0 ||
		out != "1 Ingresses: 1 exact, 0 with differences, 0 closed\n"+implicit {
		t.Errorf("status %d\n%s", status, out)
	}
}

// The page escapes what manifests contain.
func TestCheck_htmlAndClosed(t *testing.T) {
	hostile := strings.Replace(checkedIngress, "metadata: {name: app}", `metadata:
  name: app
  annotations:
    nginx.ingress.kubernetes.io/enable-modsecurity: "true"
    nginx.ingress.kubernetes.io/affinity: "<script>alert(1)</script>"`, 1)
	page := filepath.Join(t.TempDir(), "report.html")
	status, out, _ := checkText(t, hostile, "--ingress-class", "nginx", "-o", "report-json", "--html", page)
	var report checkReport
	if err := json.Unmarshal([]byte(out), &report); err != nil || status != exitFailure || report.Closed != 1 {
		t.Errorf("status %d, %v: %s", status, err, out)
	}
	text, err := os.ReadFile(page)
	if err != nil || strings.Contains(string(text), "<script>") || !strings.Contains(string(text), "&lt;script&gt;") {
		t.Errorf("%v: %s", err, text)
	}
}

// Ingresses of other classes, as clusters with two controllers have them, are named and change neither the summary nor the status.
func TestCheck_otherClasses(t *testing.T) {
	mixed := checkedIngress + "---\n" + otherIngress + "---\n" + strings.Replace(otherIngress, "other", "another", 1)
	page := filepath.Join(t.TempDir(), "report.html")
	args := []string{"--ingress-class", "nginx", "--assume-secrets", "--html", page, "-o"}
	const names = "default/another, default/other"
	status, out, _ := checkText(t, mixed, append(args, "report")...)
	if status != 0 || !strings.HasPrefix(out, "1 Ingresses: 1 exact") ||
		!strings.Contains(out, "\nNot served, because of their class:\n  "+names+`: the class is "traefik"`) {
		t.Errorf("status %d:\n%s", status, out)
	}
	html, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(html), "<li>"+names+": the class is &#34;traefik&#34;") {
		t.Errorf("%v: %s", err, html)
	}
	status, out, _ = checkText(t, mixed, append(args, "report-json")...)
	var report checkReport
	if err := json.Unmarshal([]byte(out), &report); err != nil || status != 0 || len(report.Unserved) != 1 ||
		strings.Join(report.Unserved[0].Ingresses, ", ") != names {
		t.Errorf("status %d, %v: %s", status, err, out)
	}
	if status, _, stderr := checkText(t, otherIngress, append(args, "report")...); status != exitFailure {
		t.Errorf("no Ingress is served, and the status is %d: %s", status, stderr)
	}
}
