package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/status"
)

func TestStatus_ofRunningLimpet(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "shop.yaml", explainShop)
	p := start(t, "dev", "--manifests", dir)
	code, out, stderr := run(t, "status", "--admin", "http://"+p.admin, "-o", "json")
	var got status.Summary
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("status %d, %v\n%s%s", code, err, out, stderr)
	}
	r := got.Members[0].Replica
	if code != 0 || !got.Agree || r == nil || !r.Ready || r.Routes != 2 || r.Pools != 1 || r.Digest == 0 || !r.Store.Up || r.Role != "" {
		t.Errorf("exit status %d, got %+v", code, r)
	}
	if r.Problems["ServiceNotFound"] != 1 {
		t.Errorf("got problems %v", r.Problems)
	}
	if code, out, _ := run(t, "status", "--admin", "http://"+p.admin); code != 0 || !strings.Contains(out, "attention     none") {
		t.Errorf("exit status %d\n%s", code, out)
	}
	admin := p.admin
	p.stop(t)
	code, out, stderr = run(t, "status", "--admin", "http://"+admin)
	if code != exitFailure || !strings.Contains(out, "does not respond") || !strings.Contains(stderr, "needs attention") {
		t.Errorf("of a stopped one: exit status %d\n%s%s", code, out, stderr)
	}
}
