package nginx

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/wait"
)

// sticky returns an Ingress for NAME.test with annotations of ingress-nginx, and its Service with the pods at these addresses.
func sticky(name string, annotations map[string]string, addresses ...string) string {
	prefixed := map[string]string{}
	for key, value := range annotations {
		prefixed["nginx.ingress.kubernetes.io/"+key] = value
	}
	quoted, err := json.Marshal(prefixed)
	if err != nil {
		panic(err) // a map of texts
	}
	return fmt.Sprintf(`apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %[1]s, namespace: default, annotations: %[2]s}
spec:
  ingressClassName: nginx
  rules:
  - host: %[1]s.test
    http: {paths: [{path: /app, pathType: Prefix, backend: {service: {name: %[1]s, port: {number: 80}}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s, namespace: default}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %[1]s, namespace: default, labels: {kubernetes.io/service-name: %[1]s}}
addressType: IPv4
ports: [{name: http, port: %[3]s}]
endpoints: [{addresses: [%[4]s]}]
`, name, quoted, clearPort, strings.Join(addresses, "]}, {addresses: ["))
}

// serve serves manifests, each of which is a file.
func serve(t *testing.T, flags []string, manifests ...string) *limpet {
	t.Helper()
	dir := t.TempDir()
	for i, text := range manifests {
		writeManifest(t, filepath.Join(dir, fmt.Sprintf("%d.yaml", i)), text)
	}
	return startLimpetIn(t, dir, flags...)
}

// The attributes are those that rootfs/etc/nginx/lua/balancer/sticky.lua, set_cookie(), sets. HttpOnly is always set, Secure over
// TLS. Without session-cookie-path, Path is the path of the location.
func TestWire_cookieAttributes(t *testing.T) {
	startPods(t)
	const old = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/66.0.0.0 Safari/537.36"
	cases := []struct {
		name        string
		annotations map[string]string
		agent, want string
	}{
		{"default", nil, "", "Path=/app; HttpOnly"},
		{"named", map[string]string{"session-cookie-name": "route"}, "", "Path=/app; HttpOnly"},
		{"path", map[string]string{"session-cookie-path": "/app/x"}, "", "Path=/app/x; HttpOnly"},
		{"domain", map[string]string{"session-cookie-domain": "domain.test"}, "", "Path=/app; Domain=domain.test; HttpOnly"},
		{"secured", map[string]string{"session-cookie-secure": "true"}, "", "Path=/app; Secure; HttpOnly"},
		{"samesite", map[string]string{"session-cookie-samesite": "strict"}, "", "Path=/app; HttpOnly; SameSite=Strict"},
		{"none", map[string]string{"session-cookie-samesite": "None"}, old, "Path=/app; HttpOnly; SameSite=None"},
		{"new-agent", map[string]string{
			"session-cookie-samesite": "None", "session-cookie-conditional-samesite-none": "true",
		}, "", "Path=/app; HttpOnly; SameSite=None"},
		{"old-agent", map[string]string{
			"session-cookie-samesite": "None", "session-cookie-conditional-samesite-none": "true",
		}, old, "Path=/app; HttpOnly"},
		{"max-age", map[string]string{"session-cookie-max-age": "60"}, "", "Path=/app; Max-Age=60; HttpOnly"},
		{"expires", map[string]string{"session-cookie-expires": "60"}, "", "Path=/app; Expires; HttpOnly"},
		{"partitioned", map[string]string{
			"session-cookie-samesite": "None", "session-cookie-secure": "true", "session-cookie-partitioned": "true",
		}, "", "Path=/app; Secure; HttpOnly; SameSite=None; Partitioned"},
	}
	var manifests []string
	for _, c := range cases {
		annotations := map[string]string{"affinity": "cookie", "affinity-mode": "persistent"}
		maps.Copy(annotations, c.annotations)
		manifests = append(manifests, sticky(c.name, annotations, podAddresses...))
	}
	l := serve(t, nil, manifests...)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := send(t, l.client, &request{
				URL: "http://" + c.name + ".test/app", Header: map[string]string{"User-Agent": c.agent},
			}, nil)
			name := "INGRESSCOOKIE"
			if c.annotations["session-cookie-name"] != "" {
				name = c.annotations["session-cookie-name"]
			}
			if len(got.cookies) != 1 || got.cookies[0].Name != name {
				t.Fatalf("cookies %v, want one of the name %s", got.cookies, name)
			}
			if attributes := attributesOf(got.header.Get("Set-Cookie")); attributes != c.want {
				t.Errorf("attributes %q, want %q", attributes, c.want)
			}
		})
	}
}

// attributesOf returns the attributes of a cookie without the value of Expires.
func attributesOf(field string) string {
	parts := strings.Split(field, "; ")
	for i, part := range parts {
		if strings.HasPrefix(part, "Expires=") {
			parts[i] = "Expires"
		}
	}
	return strings.Join(parts[1:], "; ")
}

// A session whose pod cannot be reached moves, unless session-cookie-change-on-failure is false.
func TestWire_changeOnFailure(t *testing.T) {
	addresses := []string{"10.250.0.21", "10.250.0.22"}
	stop := map[string]func(){}
	for _, address := range addresses {
		stop[address] = startPod(t, address, pod(address))
	}
	names := []string{"stays", "moves"}
	l := serve(t, nil,
		sticky("stays", map[string]string{"affinity": "cookie", "session-cookie-change-on-failure": "false"}, addresses...),
		sticky("moves", map[string]string{"affinity": "cookie", "session-cookie-change-on-failure": "true"}, addresses...))
	session := map[string][]*http.Cookie{}
	for _, name := range names {
		wait.Until(t, "a client of "+name+" is bound to the first pod", func() bool {
			got := send(t, l.client, &request{URL: "http://" + name + ".test/app"}, nil)
			session[name] = got.cookies
			return parseSeen(t, got.body).Pod == addresses[0]
		})
	}
	stop[addresses[0]]()
	if got := send(t, l.client, &request{URL: "http://stays.test/app"}, session["stays"]); got.status != http.StatusServiceUnavailable ||
		len(got.cookies) > 0 {
		t.Errorf("with false: status %d, cookies %v", got.status, got.cookies)
	}
	got := send(t, l.client, &request{URL: "http://moves.test/app"}, session["moves"])
	if pod := parseSeen(t, got.body).Pod; got.status != http.StatusOK || pod != addresses[1] || len(got.cookies) != 1 {
		t.Fatalf("with true: status %d of pod %s, cookies %v", got.status, pod, got.cookies)
	}
	startPod(t, addresses[0], pod(addresses[0]))
	if again := send(t, l.client, &request{URL: "http://moves.test/app"}, got.cookies); parseSeen(t, again.body).Pod != addresses[1] {
		t.Errorf("with true: the session has not stayed: %s", again.body)
	}
	if again := send(t, l.client, &request{URL: "http://stays.test/app"}, session["stays"]); again.status != http.StatusOK ||
		parseSeen(t, again.body).Pod != addresses[0] {
		t.Errorf("with false: the session has not stayed: %d %s", again.status, again.body)
	}
}

// hashedRequests are requests that differ in one variable of upstream-hash-by.
var hashedRequests = map[string]func(i int) *request{
	"$request_uri": func(i int) *request { return &request{URL: fmt.Sprintf("/app?%d", i)} },
	"$uri":         func(i int) *request { return &request{URL: fmt.Sprintf("/app/%d", i)} },
	"$remote_addr": func(i int) *request { return &request{URL: "/app", From: fmt.Sprintf("192.0.2.%d", i)} },
	"$arg_user":    func(i int) *request { return &request{URL: fmt.Sprintf("/app?user=%d", i)} },
	"$cookie_user": func(i int) *request {
		return &request{URL: "/app", Header: map[string]string{"Cookie": fmt.Sprintf("user=%d", i)}}
	},
	"$http_x_user": func(i int) *request {
		return &request{URL: "/app", Header: map[string]string{"X-User": fmt.Sprint(i)}}
	},
	"${host}-${request_method}-$http_x_user": func(i int) *request {
		return &request{URL: "/app", Header: map[string]string{"X-User": fmt.Sprint(i)}}
	},
}

// Requests with the same value go to one pod, and values are spread over the pods. Without a value, requests go to any pod.
func TestWire_upstreamHashBy(t *testing.T) {
	startPods(t)
	var manifests []string
	variables := slices.Sorted(maps.Keys(hashedRequests))
	for i, text := range variables {
		manifests = append(manifests, sticky(fmt.Sprintf("hash-%d", i), map[string]string{"upstream-hash-by": text}, podAddresses...))
	}
	manifests = append(manifests, sticky("subset", map[string]string{
		"upstream-hash-by": "$http_x_user", "upstream-hash-by-subset": "true", "upstream-hash-by-subset-size": "2",
	}, podAddresses...))
	l := serve(t, nil, manifests...)
	const values = 24
	check := func(t *testing.T, host string, build func(i int) *request) {
		t.Helper()
		used := map[string]int{}
		for i := range values {
			c := *build(i)
			c.URL = "http://" + host + c.URL
			first := parseSeen(t, send(t, l.client, &c, nil).body).Pod
			used[first]++
			for range 3 {
				if again := parseSeen(t, send(t, l.client, &c, nil).body).Pod; again != first {
					t.Fatalf("value %d: pod %s, then %s", i, first, again)
				}
			}
		}
		if len(used) != len(podAddresses) {
			t.Errorf("%d values are on the pods %v", values, used)
		}
	}
	for i, text := range variables {
		t.Run(text, func(t *testing.T) { check(t, fmt.Sprintf("hash-%d.test", i), hashedRequests[text]) })
	}
	t.Run("subset", func(t *testing.T) { check(t, "subset.test", hashedRequests["$http_x_user"]) })
	t.Run("without a value", func(t *testing.T) {
		used := map[string]bool{}
		host := fmt.Sprintf("http://hash-%d.test/app", slices.Index(variables, "$http_x_user"))
		for range 100 { // with three pods, one remains unused with a probability below 1e-17
			used[parseSeen(t, send(t, l.client, &request{URL: host}, nil).body).Pod] = true
		}
		if len(used) != len(podAddresses) {
			t.Errorf("100 requests went to %v", used)
		}
	})
}

// Lists of addresses apply to the client in the PROXY protocol header, and not to the load balancer.
func TestWire_listsBehindPROXYProtocol(t *testing.T) {
	startPods(t)
	l := serve(t, []string{"--proxy-protocol", "127.0.0.1"},
		sticky("allow", map[string]string{"whitelist-source-range": "192.0.2.0/24"}, podAddresses...),
		sticky("deny", map[string]string{"denylist-source-range": "192.0.2.0/24"}, podAddresses...))
	_ = l // the client of the other tests sends no header
	for _, c := range []struct {
		host, header string
		want         int
	}{
		{"allow.test", "PROXY TCP4 192.0.2.5 198.51.100.7 4711 80\r\n", http.StatusOK},
		{"allow.test", "PROXY TCP4 203.0.113.5 198.51.100.7 4711 80\r\n", http.StatusForbidden},
		{"allow.test", "PROXY UNKNOWN\r\n", http.StatusForbidden},
		{"deny.test", "PROXY TCP4 192.0.2.5 198.51.100.7 4711 80\r\n", http.StatusForbidden},
		{"deny.test", "PROXY TCP4 203.0.113.5 198.51.100.7 4711 80\r\n", http.StatusOK},
	} {
		if got := statusBehind(t, c.header, c.host); got != c.want {
			t.Errorf("%s with %q: status %d, want %d", c.host, c.header, got, c.want)
		}
	}
}

// statusBehind returns the status of a request on a new connection that begins with a header. The field of the request that
// names another client must not count.
func statusBehind(t *testing.T, header, host string) int {
	t.Helper()
	c, err := net.Dial("tcp", httpAddress)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "%sGET /app HTTP/1.1\r\nHost: %s\r\nX-Real-IP: 192.0.2.9\r\nConnection: close\r\n\r\n", header, host)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
