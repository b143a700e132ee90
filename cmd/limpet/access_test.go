package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/wait"
)

const usersSecret = "apiVersion: v1\nkind: Secret\nmetadata: {name: users}\nstringData:\n  auth: \"jane:{PLAIN}%s\"\n"

func basicStatus(address, path, password string) int {
	request, err := http.NewRequest(http.MethodGet, "http://"+address+path, http.NoBody)
	if err != nil {
		return 0
	}
	request.SetBasicAuth("jane", password)
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// The Secret of a route is deleted and created again while requests are served. The route is never open.
func TestAccess_secretChanges(t *testing.T) {
	dir := startShop(t)
	shop, err := os.ReadFile(filepath.Join(dir, "shop.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "shop.yaml", strings.Replace(string(shop), `nginx.ingress.kubernetes.io/enable-modsecurity: "true"`,
		"nginx.ingress.kubernetes.io/auth-type: basic, nginx.ingress.kubernetes.io/auth-secret: users", 1))
	write(t, dir, "users.yaml", fmt.Sprintf(usersSecret, "first"))
	p := start(t, "dev", "--manifests", dir)
	until := func(what, password string, want int) {
		t.Helper()
		wait.Until(t, what, func() bool {
			if got := basicStatus(p.http, "/admin", "wrong"); got != 401 && got != 429 && got != 503 {
				t.Fatalf("%s: status %d with a wrong password", what, got)
			}
			return basicStatus(p.http, "/admin", password) == want
		})
	}
	until("the password to count", "first", 200)
	write(t, dir, "users.yaml", fmt.Sprintf(usersSecret, "second"))
	until("the new password to count", "second", 200)
	if got := basicStatus(p.http, "/admin", "first"); got == 200 {
		t.Error("the old password is accepted")
	}
	if err := os.Remove(filepath.Join(dir, "users.yaml")); err != nil {
		t.Fatal(err)
	}
	until("the route to be closed", "second", 503)
	write(t, dir, "users.yaml", fmt.Sprintf(usersSecret, "second"))
	until("the route to be open for users", "second", 200)
	if got := get(p.http, "/"); got != "shop" {
		t.Errorf("another route responds %q", got)
	}
	if table := get(p.admin, "/debug/table"); strings.Contains(table, "PLAIN") || !strings.Contains(table, "users") {
		t.Errorf("/debug/table contains:\n%s", table)
	}
	p.stop(t)
	if out := p.out.String() + p.err.String(); strings.Contains(out, "second") {
		t.Errorf("the log contains a password:\n%s", out)
	}
}
