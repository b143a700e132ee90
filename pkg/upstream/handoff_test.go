package upstream

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// leave returns a move of session 7 from (a) to b in a pool "b c (a)".
func leave(now int64) *model.SessionMove {
	return &model.SessionMove{From: 2, To: 0, Session: 7, Start: true, AfterIdle: 5, Now: now}
}

func TestHandOff_requestsInFlight(t *testing.T) {
	set := poolOf("b c (a)").Set()
	from := set.Endpoint(2)
	from.BeginUse(7)
	from.BeginUse(7)
	from.EndUse(7, 100)
	if to, _ := set.HandOff(leave(200)); to != 2 {
		t.Errorf("moved to %d during a request", to)
	}
	from.EndUse(7, 210)
	if to, _ := set.HandOff(leave(214)); to != 2 {
		t.Errorf("moved to %d, 4 s after a request", to)
	}
	if to, _ := set.HandOff(leave(218)); to != 2 {
		t.Errorf("moved to %d, 4 s after a request that stayed", to)
	}
	if to, isFirst := set.HandOff(leave(223)); to != 0 || !isFirst {
		t.Errorf("to %d, first %v: want a move", to, isFirst)
	}
}

func TestHandOff_regardlessOfRequests(t *testing.T) {
	set := poolOf("b c (a)").Set()
	set.Endpoint(2).BeginUse(7)
	m := leave(200)
	m.AfterIdle, m.PerMinute = 0, 1
	set.pool.handoffLimiter.allow(1, 200)
	if to, isFirst := set.HandOff(m); to != 0 || !isFirst {
		t.Errorf("to %d, first %v: want a move", to, isFirst)
	}
}

// A session stays with the endpoint to which it moved, although another one ranks higher meanwhile.
func TestHandOff_follows(t *testing.T) {
	pool := poolOf("b c (a)")
	pool.Set().HandOff(leave(100))
	m := leave(101)
	m.To, m.Start = 1, false
	if to, isFirst := pool.Set().HandOff(m); to != 0 || isFirst {
		t.Errorf("to %d, first %v: want 0, as before", to, isFirst)
	}
	pool.Replace(endpoints("c (a) (b)"))
	m.From, m.To = 1, 0
	if to, isFirst := pool.Set().HandOff(m); to != 0 || isFirst {
		t.Errorf("to %d, first %v, when the endpoint drains: want the next one", to, isFirst)
	}
}

func TestHandOff_limit(t *testing.T) {
	set := poolOf("b c (a)").Set()
	moved := 0
	for session := range uint64(10) {
		m := leave(120)
		m.Session, m.PerMinute = session, 3
		for range 2 { // a session counts once
			if to, isFirst := set.HandOff(m); to == 0 && isFirst {
				moved++
			}
		}
	}
	if moved != 3 {
		t.Errorf("%d sessions moved, with 3 per minute", moved)
	}
}

func TestHandOff_counts(t *testing.T) {
	set := poolOf("b c (a)").Set()
	from := set.Endpoint(2)
	for session := range uint64(10) {
		from.SessionServed(model.Mix(session + 1))
	}
	m := leave(100)
	m.Session = model.Mix(1)
	m.DryRun = true
	set.HandOff(m)
	if n := from.Sessions(); n != 10 {
		t.Errorf("%d sessions after a dry run, want 10", n)
	}
	m.DryRun = false
	set.HandOff(m)
	set.HandOff(m)
	if n := from.Sessions(); n != 9 {
		t.Errorf("%d sessions after one moved, want 9", n)
	}
	set.CancelHandoff(2, m.Session)
	set.CancelHandoff(2, m.Session)
	if n := from.Sessions(); n != 10 {
		t.Errorf("%d sessions after a move was cancelled, want 10", n)
	}
}

// A pod that is no longer drained is drained again later. What moved in the first drain may have returned.
func TestHandOff_secondDrain(t *testing.T) {
	pool := poolOf("b c (a)")
	pool.Set().HandOff(leave(100))
	pool.Replace(endpoints("a b c"))
	pool.Replace(endpoints("b c (a)"))
	m := leave(200)
	m.Start = false
	if to, _ := pool.Set().HandOff(m); to != 2 {
		t.Errorf("moved to %d, as in the drain before", to)
	}
}

func TestHandOff_bounded(t *testing.T) {
	set := poolOf("b c (a)").Set()
	m := leave(100)
	for session := range uint64(maxHandoffs + 10) {
		m.Session = session
		set.HandOff(m)
	}
	u := set.Endpoint(2).trackUses()
	if len(u.moved) != maxHandoffs || len(u.lastUsed) > maxHandoffs {
		t.Errorf("%d moves and %d uses are recorded", len(u.moved), len(u.lastUsed))
	}
}
