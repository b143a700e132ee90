package stay

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/wait"
)

// limitedIngress admits a burst of 31 requests of each client, and 30 each minute. It has no pods: requests that are admitted get
// another status.
const limitedIngress = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: limited
  annotations: {limpet.dev/limit-rpm: "30", limpet.dev/limit-burst-multiplier: "1", limpet.dev/limit-status: "429", limpet.dev/limit-shared: "true"}
spec:
  rules: [{host: limited.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: none, port: {number: 80}}}}]}}]
---
apiVersion: v1
kind: Service
metadata: {name: none}
spec: {ports: [{port: 80}]}
`

const limitedBurst = 31

// Replicas with a shared store admit what one of them would. If the store is gone, each of them limits its own requests.
func TestLimits_sharedStore(t *testing.T) {
	redis, dir := startRedis(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "limited.yaml"), []byte(limitedIngress), 0o600); err != nil {
		t.Fatal(err)
	}
	start := func() *limpet {
		return startLimpet(t, "dev", "--manifests", dir, "--session-store", "redis://"+redis.address)
	}
	one, other := start(), start()
	atOnce := one.admitted(t, "192.0.2.1", 2*limitedBurst)
	if atOnce < limitedBurst {
		t.Errorf("one replica admits %d of %d requests", atOnce, limitedBurst)
	}
	bucket := ""
	wait.Until(t, "the store to know all requests", func() bool {
		bucket = redis.command("KEYS limpet:l1:*", 3)
		seconds, _ := strconv.Atoi(strings.TrimPrefix(redis.command("TTL "+bucket, 1), ":"))
		return strings.HasPrefix(bucket, "limpet:") && seconds > 2*limitedBurst-5 // two seconds for each request
	})
	before := redis.command("GET "+bucket, 2)
	more := other.admitted(t, "192.0.2.1", 1)
	wait.Until(t, "the other replica to have told the store", func() bool { return redis.command("GET "+bucket, 2) != before })
	wait.Until(t, "the other replica to refuse requests", func() bool {
		n := other.admitted(t, "192.0.2.1", 1)
		more += n
		return n == 0
	})
	if more > limitedBurst/2 {
		t.Errorf("the other replica admits %d requests", more)
	}
	redis.kill()
	for _, l := range []*limpet{one, other} {
		if n := l.admitted(t, "192.0.2.2", 2*limitedBurst); n < limitedBurst || n > limitedBurst+limitedBurst/2 {
			t.Errorf("without the store, a replica admits %d requests", n)
		}
	}
}

// admitted sends requests of a client, and returns how many are admitted.
func (l *limpet) admitted(t *testing.T, client string, requests int) (n int) {
	t.Helper()
	for range requests {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.http+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Host = "limited.example"
		q.Header.Set("X-Forwarded-For", client)
		resp, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusTooManyRequests {
			n++
		}
	}
	return n
}

// command sends a command, and returns the last one of so many lines of its reply.
func (r *redis) command(text string, lines int) (line string) {
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		return ""
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s\r\nQUIT\r\n", text)
	in := bufio.NewScanner(conn)
	for range lines {
		if !in.Scan() {
			return ""
		}
		line = in.Text()
	}
	return line
}
