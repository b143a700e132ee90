package exchange

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// bodyPump sends the body of a request to the pod. The part of the body that has arrived is sent together with the head. The
// rest is sent by a separate goroutine, because the pod may respond before it has received the whole body, and may read no
// more of the body until its response is read.
//
// For HTTP/2, the start of the body is kept for another attempt: pods refuse streams while they shut down (RFC 9113 section
// 8.7). The pump is then paused until start is called with the next upload, or until stop.
type bodyPump struct {
	x *Exchange

	// Owned by the goroutine of the exchange.
	isStarted bool // the goroutine was started and not waited for

	// Shared with the goroutine that sends.
	wg      sync.WaitGroup
	allRead atomic.Bool // the whole body was read from the client
	allSent atomic.Bool // the whole body was written to dst

	mu           sync.Mutex // guards dst, state and replay; held while writing to dst
	dst          upload
	state        pumpState
	replay       replayBuffer // the body so far, in pumpKeeping and pumpPaused and after restoreBody
	stateChanged sync.Cond    // signaled when the state is no longer pumpPaused

	errMu     sync.Mutex // guards clientErr
	clientErr error      // the error of reading from the client
}

// start makes dst the destination of the body, and sends what an earlier attempt has sent. If keep is set, the body is kept
// for another attempt.
func (p *bodyPump) start(x *Exchange, dst upload, keep bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dst = dst
	switch {
	case !keep:
		p.state = pumpSending
	case p.state != pumpTooLong:
		p.state = pumpKeeping
	}
	p.stateChanged.L = &p.mu
	p.stateChanged.Broadcast()
	p.allSent.Store(x.req.Body == http1.BodyNone)
	if p.x == nil {
		p.x = x
		p.allRead.Store(x.req.Body == http1.BodyNone)
	}
	return p.retryable(p.sendReplay())
}

// sendReplay sends what an earlier attempt has sent, and the end of the body if all of it was read.
func (p *bodyPump) sendReplay() error {
	if p.isSent() {
		return nil
	}
	if len(p.replay.bytes) > 0 {
		if err := p.dst.write(p.replay.bytes); err != nil {
			return err
		}
	}
	if !p.isRead() {
		return nil
	}
	return p.writeEnd(false)
}

// sendBuffered sends the part of the body that has arrived, for as long as the pod accepts it without waiting. A pod may
// respond before it reads more.
func (p *bodyPump) sendBuffered() error {
	if p.isSent() || p.isStarted {
		return nil
	}
	return p.send(false)
}

// sendRest starts the goroutine that sends the rest of the body, unless all of it was sent.
func (p *bodyPump) sendRest() {
	if p.isSent() || p.isStarted {
		return
	}
	p.isStarted = true
	p.wg.Go(p.run)
}

// run sends the rest of the body. It is the goroutine that sendRest starts.
func (p *bodyPump) run() {
	defer p.containPanic()
	err := p.send(true)
	if err == nil {
		p.x.extendResponseWait()
		return
	}
	// The pod does not receive the complete body. If the client caused that, the request is aborted here. Otherwise the pod
	// may have responded already, so the goroutine that reads the response decides when to close the connection.
	if p.failure() != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.dst.close()
	}
}

// containPanic fails the request, and no other, after a panic in its goroutine. It must be deferred.
func (p *bodyPump) containPanic() {
	cause := recover()
	if cause == nil {
		return
	}
	p.x.Engine.RecordPanic(cause)
	_ = p.setFailure(errPumpPanicked)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dst.close()
}

var errPumpPanicked = errors.New("exchange: a panic ended the transfer of the request body")

// send copies spans of the body to the pod. If wait is set, it returns at the end of the body. Otherwise it also returns when
// it would have to wait.
func (p *bodyPump) send(wait bool) error {
	for {
		if !wait && !p.canWrite() {
			return nil
		}
		span, err := p.x.nextBody(false)
		if err == http1.ErrIncomplete {
			if !wait {
				return nil
			}
			if err := p.flush(); err != nil {
				return err
			}
			p.x.extendResponseWait()
			span, err = p.x.nextBody(true)
		}
		if err == io.EOF {
			return p.endBody(wait)
		}
		if err != nil {
			return p.setFailure(err)
		}
		if err := p.write(span); err != nil {
			return err
		}
	}
}

// canWrite reports whether another span can be sent without waiting for a pod.
func (p *bodyPump) canWrite() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state != pumpPaused && p.dst.canWrite(http1.BufferSize)
}

// write sends a span. While the pump is paused, a span that cannot be kept waits for the next attempt.
func (p *bodyPump) write(span []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.state == pumpPaused {
		if p.replay.append(span, p.x.Account) {
			return nil // the next attempt sends it
		}
		p.stateChanged.Wait()
	}
	p.keep(span)
	return p.retryable(p.dst.write(span))
}

func (p *bodyPump) flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.retryable(p.dst.flush())
}

// endBody sends the end of the body. The caller sets flush if no later call flushes the output.
func (p *bodyPump) endBody(flush bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.allRead.Store(true)
	return p.retryable(p.writeEnd(flush))
}

// writeEnd writes the trailers and, if flush is set, flushes the output. The caller holds mu.
func (p *bodyPump) writeEnd(flush bool) error {
	err := p.dst.end(p.x.requestTrailers())
	if err == nil && flush {
		err = p.dst.flush()
	}
	p.allSent.Store(err == nil)
	return err
}

// setFailure records that reading the body from the client failed.
func (p *bodyPump) setFailure(err error) error {
	p.errMu.Lock()
	defer p.errMu.Unlock()
	p.clientErr = err
	return err
}

// failure returns the error of reading the body from the client, or nil. It is meaningless after stop, which makes reads
// fail.
func (p *bodyPump) failure() error {
	p.errMu.Lock()
	defer p.errMu.Unlock()
	return p.clientErr
}

// isRunning reports whether the goroutine was started and not waited for. No other goroutine may read the body then.
func (p *bodyPump) isRunning() bool { return p.isStarted }

// isRead reports whether the whole body was read from the client.
func (p *bodyPump) isRead() bool { return p.allRead.Load() }

// isDone reports whether no part of the request is still being sent.
func (p *bodyPump) isDone() bool { return p.x == nil || p.isSent() }

// isSent reports whether the whole body was written to the pod.
func (p *bodyPump) isSent() bool { return p.allSent.Load() }

// wait waits for the goroutine, which has sent the whole body.
func (p *bodyPump) wait() {
	p.isStarted = false
	p.wg.Wait()
}

// stop ends the goroutine, if it was started, and waits for it. The upstream connection must have been closed before.
func (p *bodyPump) stop() {
	if !p.isStarted {
		return
	}
	if !p.isRead() {
		p.x.source.interrupt()
	}
	p.setStopped()
	p.wait()
}

// reset prepares p for the next request.
func (p *bodyPump) reset() {
	p.x, p.dst, p.clientErr = nil, nil, nil
	p.state = pumpSending
	p.replay.free()
}
