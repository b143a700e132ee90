package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/preview"
)

// The check inside a running Limpet translates what it serves, and changes nothing.
func TestDev_checkOfChanges(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "shop.yaml", explainShop)
	p := start(t, "dev", "--manifests", dir)
	before := get(p.admin, "/debug/table?host=shop.example.com")
	check := func(body string) (r preview.Report) {
		t.Helper()
		response, err := http.Post("http://"+p.admin+"/check", "application/yaml", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if err := json.NewDecoder(response.Body).Decode(&r); err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v", response.Status, err)
		}
		return r
	}
	if r := check(explainShop); len(r.Changes) != 0 {
		t.Errorf("for the same manifests: got %+v", r)
	}
	r := check(strings.NewReplacer("path: /cart", "path: /basket", "affinity: cookie", "affinity: none").Replace(explainShop))
	if r.Counts[preview.Stops] != 1 || r.Counts[preview.Starts] != 1 || r.Changes[0].Where != "shop.example.com/cart" {
		t.Errorf("for another path: got %+v", r)
	}
	r = check(strings.Replace(explainShop, "affinity: cookie", "affinity: none", 1))
	if r.Counts[preview.Sessions] != 1 || r.Harms() {
		t.Errorf("without affinity: got %+v", r)
	}
	if after := get(p.admin, "/debug/table?host=shop.example.com"); after != before {
		t.Errorf("the table changed from\n%s\nto\n%s", before, after)
	}
	p.stop(t)
}
