package exchange

import "testing"

func TestDecideNext(t *testing.T) {
	for _, c := range []struct {
		kind       failureKind
		replayable bool
		a          attempts
		want       next
	}{
		{notSent, false, attempts{count: 1}, otherEndpoint},
		{notSent, true, attempts{count: 1}, otherEndpoint},
		{notSent, true, attempts{count: 2, replayed: true}, otherEndpoint},
		{notSent, false, attempts{count: DefaultAttempts - 1}, otherEndpoint},
		{notSent, false, attempts{count: DefaultAttempts}, giveUp},
		{lost, true, attempts{count: 1}, replay},
		{lost, true, attempts{count: DefaultAttempts}, giveUp},
		{lost, true, attempts{count: 2, replayed: true}, giveUp},
		{lost, false, attempts{count: 1}, giveUp},
		{notTaken, false, attempts{count: 1}, sameEndpoint},
		{notTaken, true, attempts{count: 2, replayed: true}, sameEndpoint},
		{notTaken, true, attempts{count: DefaultAttempts}, giveUp},
		{late, true, attempts{count: 1}, giveUp},
		{badAnswer, true, attempts{count: 1}, giveUp},
		{badBody, true, attempts{count: 1}, giveUp},
	} {
		if got := decideNext(c.kind, c.replayable, &c.a, DefaultAttempts); got != c.want {
			t.Errorf("kind %d, replayable %v, %+v: got %d, want %d", c.kind, c.replayable, c.a, got, c.want)
		}
	}
}
