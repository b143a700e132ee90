package exchange

import "testing"

func TestDecideNext(t *testing.T) {
	for _, c := range []struct {
		kind       failureKind
		replayable bool
		a          attemptState
		want       nextAction
	}{
		{dialFailed, false, attemptState{count: 1}, retryOtherEndpoint},
		{dialFailed, true, attemptState{count: 1}, retryOtherEndpoint},
		{dialFailed, true, attemptState{count: 2, isReplay: true}, retryOtherEndpoint},
		{dialFailed, false, attemptState{count: DefaultAttempts - 1}, retryOtherEndpoint},
		{dialFailed, false, attemptState{count: DefaultAttempts}, giveUp},
		{connLost, true, attemptState{count: 1}, replaySameEndpoint},
		{connLost, true, attemptState{count: DefaultAttempts}, giveUp},
		{connLost, true, attemptState{count: 2, isReplay: true}, giveUp},
		{connLost, true, attemptState{count: 2, isReplay: true, isAtSamePod: true}, leaveGoneEndpoint},
		{connLost, true, attemptState{count: DefaultAttempts, isReplay: true, isAtSamePod: true}, giveUp},
		{connLost, false, attemptState{count: 1}, giveUp},
		{streamRefused, false, attemptState{count: 1}, retrySameEndpoint},
		{streamRefused, true, attemptState{count: 2, isReplay: true}, retrySameEndpoint},
		{streamRefused, true, attemptState{count: DefaultAttempts}, giveUp},
		{responseTimeout, true, attemptState{count: 1}, giveUp},
		{invalidResponse, true, attemptState{count: 1}, giveUp},
		{requestBodyFailed, true, attemptState{count: 1}, giveUp},
	} {
		if got := decideNext(c.kind, c.replayable, &c.a, DefaultAttempts); got != c.want {
			t.Errorf("kind %d, replayable %v, %+v: got %d, want %d", c.kind, c.replayable, c.a, got, c.want)
		}
	}
}
