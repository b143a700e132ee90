package main

import (
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/wait"
)

func TestSessionStore_healthIsExported(t *testing.T) {
	for url, want := range map[string]string{"memory": "1", "redis://127.0.0.1:1": "0"} {
		p := start(t, "dev", "--manifests", t.TempDir(), "--session-store", url)
		wait.Until(t, "the health of "+url+" is "+want, func() bool {
			return strings.Contains(get(p.admin, "/metrics"), "\nlimpet_session_store_up "+want+"\n")
		})
		if !strings.Contains(get(p.admin, "/metrics"), "\nlimpet_build_info{goversion=\"go") {
			t.Error("limpet_build_info is missing")
		}
		p.stop(t)
	}
}
