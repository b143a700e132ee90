package exchange

import (
	"io"
	"sync"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// bodyPump sends the body of a request to the pod. What has arrived goes out with the head; the rest is sent by a
// goroutine of its own, because the pod may answer meanwhile, and may wait for the answer to be read before it takes
// more.
//
// The beginning of a body can be kept, for a pod that says that it has not begun with the request, as pods that speak
// HTTP/2 do while they stop, and for another pod after that.
type bodyPump struct {
	x *Exchange

	allRead   atomic.Bool // the whole body was read from the client
	allSent   atomic.Bool // and written to the pod
	wg        sync.WaitGroup
	isStarted bool // the goroutine was started, and not waited for

	mu           sync.Mutex // guards what follows
	dst          upload
	keeps        bool
	isLong       bool // more has been read than is kept
	replay       replayBuffer
	refused      bool      // pod does not take the body, which is kept
	over         bool      // there will be no other pod
	stateChanged sync.Cond // there is one, or there will be none

	errMu     sync.Mutex
	clientErr error // reading from the client failed
}

// upload is where the body of a request goes: what differs between the protocols that pods speak.
type upload interface {
	// takes reports whether a span of that length can be sent without waiting for the pod, as far as that is known.
	canWrite(n int) bool
	// write sends or collects a span.
	write(span []byte) error
	// flush sends what was collected.
	flush() error
	// end sends or collects what follows the last span.
	end(trailers []http1.Field) error
	// close breaks the request off.
	close()
}

// keptBody is how much of a body is kept for sending it once more. Most calls by gRPC fit, and pods that speak HTTP/2 take
// so much before they have read anything, unless they say otherwise (RFC 9113 section 6.9.2).
const maxReplayBytes = 1<<16 - 1

// begin makes pod the one that gets the body, and sends it what an earlier one got. With keeps set there may be another one
// later.
func (p *bodyPump) start(x *Exchange, dst upload, keeps bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dst, p.keeps, p.refused = dst, keeps, false
	p.stateChanged.L = &p.mu
	p.stateChanged.Broadcast()
	p.allSent.Store(x.req.Body == http1.BodyNone)
	if p.x == nil {
		p.x = x
		p.allRead.Store(x.req.Body == http1.BodyNone)
	}
	return p.retryable(p.sendReplay())
}

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

// sendBuffered sends what has arrived of the body, as far as the pod takes it at once: it may answer before it takes more.
func (p *bodyPump) sendBuffered() error {
	if p.isSent() || p.isStarted {
		return nil
	}
	return p.send(false)
}

// sendRest starts the goroutine if the body has not been sent whole.
func (p *bodyPump) sendRest() {
	if p.isSent() || p.isStarted {
		return
	}
	p.isStarted = true
	p.wg.Go(p.run)
}

func (p *bodyPump) run() {
	err := p.send(true)
	if err == nil {
		p.x.guard.extend(p.x.responseDeadline())
		return
	}
	// The pod does not get the rest of what it was promised. Unless the client is to blame it may have answered
	// already, so it is for the goroutine that reads the answer to close the connection.
	if p.failure() != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.dst.close()
	}
}

// send moves spans of the body to the pod. With wait set it goes on to the end of the body, else until it would have to
// wait.
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
			p.x.guard.extend(p.x.responseDeadline())
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

// takesMore reports whether another span can be sent without waiting, for the pod or for another one.
func (p *bodyPump) canWrite() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.refused && p.dst.canWrite(http1.BufferSize)
}

// write sends a span. That the pod does not take it is no failure while all of the body is kept: there may be another pod,
// which is waited for before more is read than that.
func (p *bodyPump) write(span []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.refused && !p.over && len(p.replay.bytes)+len(span) > maxReplayBytes {
		p.stateChanged.Wait()
	}
	p.keep(span)
	return p.retryable(p.dst.write(span))
}

func (p *bodyPump) keep(span []byte) {
	if p.keeps && !p.isLong && !p.replay.append(span, p.x.Account) {
		p.isLong = true
		p.replay.free()
	}
}

func (p *bodyPump) retryable(err error) error {
	if err == nil || !p.keeps || p.isLong {
		return err
	}
	p.refused = true
	return nil
}

func (p *bodyPump) flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.retryable(p.dst.flush())
}

// finish sends what follows the body. With flush set nobody else will see to it that it goes out.
func (p *bodyPump) endBody(flush bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.allRead.Store(true)
	return p.retryable(p.writeEnd(flush))
}

func (p *bodyPump) writeEnd(flush bool) error {
	err := p.dst.end(p.x.source.body.Trailers())
	if err == nil && flush {
		err = p.dst.flush()
	}
	p.allSent.Store(err == nil)
	return err
}

// fail notes that the body could not be read from the client.
func (p *bodyPump) setFailure(err error) error {
	p.errMu.Lock()
	defer p.errMu.Unlock()
	p.clientErr = err
	return err
}

// failure is why the body could not be read from the client, nil if it could. It means nothing after stop, which makes
// the reading fail.
func (p *bodyPump) failure() error {
	p.errMu.Lock()
	defer p.errMu.Unlock()
	return p.clientErr
}

// isRunning reports whether the goroutine has yet to be waited for, so that what is left of the body is not for anybody else
// to read.
func (p *bodyPump) isRunning() bool { return p.isStarted }

// isRead reports whether the whole body was read from the client.
func (p *bodyPump) isRead() bool { return p.allRead.Load() }

// isDone reports whether nothing of the request is on its way to a pod.
func (p *bodyPump) isDone() bool { return p.x == nil || p.isSent() }

// isSent reports whether the whole body was written to the pod.
func (p *bodyPump) isSent() bool { return p.allSent.Load() }

// keepForAnother reports whether the body can be sent from its beginning: nothing was read of it, or what was is kept. Then
// no more is read than is kept until begin is called with another pod, or stop.
func (p *bodyPump) keepForRetry() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.x == nil || p.x.req.Body == http1.BodyNone {
		return true
	}
	p.refused = p.keeps && !p.isLong
	return p.refused
}

// takeBack keeps a body that was sent whole, not in chunks, and did not arrive.
func (p *bodyPump) restoreBody(body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.replay.free()
	p.keeps, p.isLong = true, !p.replay.append(body, p.x.Account)
}

// dropKept is called when a pod has begun to respond: there will be no other one. It does not wait for a pod that takes no
// more of the body: then what is kept stays until the response has ended.
func (p *bodyPump) endReplay() {
	if !p.keeps || !p.mu.TryLock() { // only the goroutine of the exchange changes keeps
		return
	}
	defer p.mu.Unlock()
	p.keeps = false
	p.replay.free()
}

// join waits for the goroutine, which has sent the body whole.
func (p *bodyPump) wait() {
	p.isStarted = false
	p.wg.Wait()
}

// stop ends the goroutine, if it runs, and waits for it. The connection to the pod was closed before.
func (p *bodyPump) stop() {
	if !p.isStarted {
		return
	}
	if !p.isRead() {
		p.x.source.interrupt()
	}
	p.stopReplay()
	p.wait()
}

// endWait lets go of a goroutine that waits for another pod.
func (p *bodyPump) stopReplay() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.stateChanged.Broadcast()
}

// reset forgets the last request.
func (p *bodyPump) reset() {
	p.x, p.dst, p.clientErr = nil, nil, nil
	p.keeps, p.isLong, p.refused, p.over = false, false, false, false
	p.replay.free()
}
