package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/wait"
)

// keyedShop responds with what it received, and as apps do that do not know their external URL.
func keyedShop(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/redirect":
		w.Header().Set("Location", "http://internal.test/login")
		w.Header().Set("Set-Cookie", "sid=1; Domain=internal.test")
		w.WriteHeader(http.StatusFound)
		return
	case "/missing":
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprintf(w, "user=%s %s", r.Header.Get("X-User"), strings.Repeat("shop ", 1000))
}

// keyedAuth admits clients with a key, and returns what it received.
func keyedAuth(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Set-Cookie", "auth=1")
	if r.Header.Get("X-Key") != "right" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("X-User", r.Method+r.Header.Get("X-Auth-Request-Redirect"))
}

// keyCase is a setting of the ConfigMap, and a request that it affects.
type keyCase struct {
	data, path string
	fields     []string
	// without and with are what keyed returns without the setting, and with it.
	without, with string
}

const keyedAuthURL = "global-auth-url: http://auth.shop.svc/check, "

var keyCases = []keyCase{
	{"denylist-source-range: 127.0.0.0/8", "/", nil, "200", "403"},
	{`relative-redirects: "true"`, "/", []string{"Host", "root.test"}, "302 http://root.test/home", "302 /home"},
	{`force-ssl-redirect: "true"`, "/a/", nil, "200", "308 https://shop.test/a"},
	{`force-ssl-redirect: "true", preserve-trailing-slash: "true"`, "/a/", nil, "200", "308 https://shop.test/a/"},
	{"proxy-redirect-from: http://internal.test/, proxy-redirect-to: https://shop.test/app/", "/redirect", nil,
		"302 http://internal.test/login sid=1; Domain=internal.test", "302 https://shop.test/app/login sid=1; Domain=internal.test"},
	{"proxy-cookie-domain: internal.test shop.test", "/redirect", nil,
		"302 http://internal.test/login sid=1; Domain=internal.test", "302 http://internal.test/login sid=1; Domain=shop.test"},
	{`enable-brotli: "true"`, "/", []string{"Accept-Encoding", "br"}, "200", "200 br"},
	{`limit-req-status-code: "429"`, "/", []string{"Host", "limited.test"}, "503", "429"},
	{keyedAuthURL + "global-auth-response-headers: X-User", "/", []string{"X-Key", "right"}, "200 user= ", "200 auth=1 user=GET/ "},
	{keyedAuthURL + "global-auth-response-headers: X-User, global-auth-method: POST, global-auth-request-redirect: /back", "/",
		[]string{"X-Key", "right"}, "200 user= ", "200 auth=1 user=POST/back "},
	{keyedAuthURL + "global-auth-signin: https://login.test/, global-auth-signin-redirect-param: to", "/", nil,
		"200", "302 https://login.test/?to=http://shop.test%2F auth=1"},
	{keyedAuthURL + `global-auth-always-set-cookie: "true"`, "/missing", []string{"X-Key", "right"}, "404", "404 auth=1"},
}

// keyed sends a request, and returns the status with the fields of the response that the settings change, and for a 200 its body.
func keyed(t *testing.T, address string, c *keyCase) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+address+c.path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "shop.test"
	request.Header.Set("Accept-Encoding", "identity")
	for i := 0; i < len(c.fields); i += 2 {
		if c.fields[i] == "Host" {
			request.Host = c.fields[i+1]
		}
		request.Header.Set(c.fields[i], c.fields[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	parts := []string{fmt.Sprint(response.StatusCode)}
	for _, name := range []string{"Location", "Content-Encoding", "Set-Cookie"} {
		if value := response.Header.Get(name); value != "" {
			parts = append(parts, value)
		}
	}
	if response.StatusCode == http.StatusOK && response.Header.Get("Content-Encoding") == "" {
		parts = append(parts, string(body))
	}
	return strings.Join(parts, " ")
}

// isKeyed reports whether a result of keyed is as expected. The body may be longer.
func isKeyed(got, want string) bool {
	return got == want || strings.HasPrefix(want, "200") && strings.HasPrefix(got, want)
}

// Each setting changes the response to a request, or what the pod receives, while Limpet serves.
func TestNginxConfigMap_settingsOnTheWire(t *testing.T) {
	dir := t.TempDir()
	other := func(name, annotations string) string {
		return strings.NewReplacer("name: shop}", "name: "+name+", annotations: {"+annotations+"}}", "host: shop.test", "host: "+name+".test").
			Replace(nginxManifests)
	}
	write(t, dir, "shop.yaml", podManifests(t, "shop", "shop", keyedShop)+podManifests(t, "shop", "auth", keyedAuth)+nginxManifests+
		other("root", "nginx.ingress.kubernetes.io/app-root: /home")+
		other("limited", `nginx.ingress.kubernetes.io/limit-rpm: "1", nginx.ingress.kubernetes.io/limit-burst-multiplier: "1"`))
	write(t, dir, "config.yaml", nginxConfigMap(""))
	p := start(t, "dev", "--manifests", dir, "--ingress-class", "nginx", "--nginx-configmap", "nginx/controller")
	for i := range keyCases {
		c := &keyCases[i]
		t.Run(c.data, func(t *testing.T) {
			for _, step := range []struct{ data, want string }{{"", c.without}, {c.data, c.with}} {
				write(t, dir, "config.yaml", nginxConfigMap(step.data))
				wait.Until(t, fmt.Sprintf("with %q the result is %q", step.data, step.want), func() bool {
					return isKeyed(keyed(t, p.http, c), step.want)
				})
			}
		})
	}
	p.stop(t)
}
