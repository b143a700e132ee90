package exchange

import "github.com/limpet-dev/limpet/pkg/http1"

// pumpState is the state of a bodyPump. Its methods change it as follows:
//
//	start         any state -> pumpSending or pumpKeeping; pumpTooLong stays if keep is set
//	keep          pumpKeeping -> pumpTooLong, if the body exceeds maxReplayBytes or the memory budget
//	retryable     pumpKeeping -> pumpPaused, if a write to the pod fails
//	keepForRetry  pumpKeeping -> pumpPaused
//	restoreBody   pumpSending -> pumpKeeping or pumpTooLong
//	stopKeeping   pumpKeeping, pumpPaused, pumpTooLong -> pumpSending
//	setStopped    any state -> pumpStopped
type pumpState uint8

const (
	// pumpSending sends the body to the pod and keeps nothing. A failed write ends the pump.
	pumpSending pumpState = iota
	// pumpKeeping also keeps all of the body, for another attempt.
	pumpKeeping
	// pumpTooLong is pumpSending after pumpKeeping: the body is longer than what can be kept, so there is no other attempt.
	pumpTooLong
	// pumpPaused keeps the body for the next attempt. The pod does not accept it. No more is read than can be kept.
	pumpPaused
	// pumpStopped means that there is no other attempt.
	pumpStopped
)

// maxReplayBytes is the largest part of a body that is kept for another attempt. Most gRPC calls fit. It is the initial flow
// control window of HTTP/2, which a pod that has not read anything accepts (RFC 9113 section 6.9.2).
const maxReplayBytes = 1<<16 - 1

// keep keeps a span for another attempt. If it cannot be kept, there is no other attempt.
func (p *bodyPump) keep(span []byte) {
	if p.isReplayable() && !p.replay.append(span, p.x.Account) {
		p.state = pumpTooLong
		p.replay.free()
	}
}

// retryable handles an error of writing to the pod. If the body can be sent to another pod, it pauses the pump and returns
// nil. Otherwise it returns err.
func (p *bodyPump) retryable(err error) error {
	if err == nil || !p.isReplayable() {
		return err
	}
	p.state = pumpPaused
	return nil
}

// isReplayable reports whether all of the body that was read is kept. The caller holds mu.
func (p *bodyPump) isReplayable() bool { return p.state == pumpKeeping || p.state == pumpPaused }

// keepForRetry pauses the pump for another attempt. It returns false if the body cannot be sent again, because a part of it
// was read and not kept.
func (p *bodyPump) keepForRetry() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.x == nil || p.x.req.Body == http1.BodyNone {
		return true
	}
	if !p.isReplayable() {
		return false
	}
	p.state = pumpPaused
	return true
}

// restoreBody keeps a body that was written to a stale connection and did not reach the pod. It must not be chunked. It
// returns false if the body cannot be kept: then there must be no other attempt.
func (p *bodyPump) restoreBody(body []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.replay.free()
	p.state = pumpKeeping
	if !p.replay.append(body, p.x.Account) {
		p.state = pumpTooLong
		return false
	}
	return true
}

// stopKeeping is called when the pod starts to respond, so that there is no other attempt. If the goroutine is blocked in a
// write to the pod, it does not wait for that: the kept part is freed when the exchange ends.
func (p *bodyPump) stopKeeping() {
	if p.x.req.Body == http1.BodyNone || !p.mu.TryLock() {
		return
	}
	defer p.mu.Unlock()
	if p.state != pumpSending {
		p.state = pumpSending
		p.replay.free()
	}
}

// setStopped wakes a goroutine that waits for another attempt.
func (p *bodyPump) setStopped() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = pumpStopped
	p.stateChanged.Broadcast()
}
