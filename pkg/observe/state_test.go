package observe

import (
	"strings"
	"testing"
)

// expectSamples fails for each sample that a scrape lacks.
func expectSamples(t *testing.T, m *Metrics, samples ...string) {
	t.Helper()
	text := scrape(t, m)
	for _, sample := range samples {
		if !strings.Contains(text, "\n"+sample+"\n") {
			t.Errorf("missing %s", sample)
		}
	}
}

func TestPublished_stateOfTheTable(t *testing.T) {
	m := NewMetrics()
	m.BuildInfo("v1.2.3", "go1.26")
	m.Published(7, 1<<48-1, map[string]int{"EmptyRule": 2, "NoEffect": 1})
	expectSamples(t, m, `limpet_build_info{goversion="go1.26",version="v1.2.3"} 1`, `limpet_table_generation 7`,
		`limpet_table_digest 2.81474976710655e+14`, `limpet_problems{reason="EmptyRule"} 2`, `limpet_problems{reason="NoEffect"} 1`)
	m.Published(8, 5, map[string]int{"EmptyRule": 0, "NoEffect": 1})
	expectSamples(t, m, `limpet_problems{reason="EmptyRule"} 0`, `limpet_table_digest 5`)
}

func TestMissingFields_countsThem(t *testing.T) {
	m := NewMetrics()
	expectSamples(t, m, "limpet_crd_missing_fields 0")
	m.MissingFields(2)
	expectSamples(t, m, "limpet_crd_missing_fields 2")
}

func TestSessionStoreUp_followsTheStore(t *testing.T) {
	m := NewMetrics()
	for _, up := range []bool{true, false, true} {
		m.SessionStoreUp(up)
		expectSamples(t, m, map[bool]string{true: "limpet_session_store_up 1", false: "limpet_session_store_up 0"}[up])
	}
}
