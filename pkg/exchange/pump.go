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

	read    atomic.Bool // the whole body was read from the client
	sent    atomic.Bool // and written to the pod
	running sync.WaitGroup
	started bool // the goroutine was started, and not waited for

	writing sync.Mutex // guards what follows
	pod     upload
	keeps   bool
	isLong  bool // more has been read than is kept
	kept    keptBytes
	refused bool      // pod does not take the body, which is kept
	over    bool      // there will be no other pod
	another sync.Cond // there is one, or there will be none

	failing   sync.Mutex
	clientErr error // reading from the client failed
}

// upload is where the body of a request goes: what differs between the protocols that pods speak.
type upload interface {
	// takes reports whether a span of that length can be sent without waiting for the pod, as far as that is known.
	takes(n int) bool
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
const keptBody = 1<<16 - 1

// begin makes pod the one that gets the body, and sends it what an earlier one got. With keeps set there may be another one
// later.
func (p *bodyPump) begin(x *Exchange, pod upload, keeps bool) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.pod, p.keeps, p.refused = pod, keeps, false
	p.another.L = &p.writing
	p.another.Broadcast()
	p.sent.Store(x.req.Body == http1.BodyNone)
	if p.x == nil {
		p.x = x
		p.read.Store(x.req.Body == http1.BodyNone)
	}
	return p.forgive(p.sendKept())
}

func (p *bodyPump) sendKept() error {
	if p.isSent() {
		return nil
	}
	if len(p.kept.bytes) > 0 {
		if err := p.pod.write(p.kept.bytes); err != nil {
			return err
		}
	}
	if !p.isRead() {
		return nil
	}
	return p.end(false)
}

// sendBuffered sends what has arrived of the body, as far as the pod takes it at once: it may answer before it takes more.
func (p *bodyPump) sendBuffered() error {
	if p.isSent() || p.started {
		return nil
	}
	return p.send(false)
}

// sendRest starts the goroutine if the body has not been sent whole.
func (p *bodyPump) sendRest() {
	if p.isSent() || p.started {
		return
	}
	p.started = true
	p.running.Go(p.run)
}

func (p *bodyPump) run() {
	err := p.send(true)
	if err == nil {
		p.x.guard.extend(p.x.answerBy())
		return
	}
	// The pod does not get the rest of what it was promised. Unless the client is to blame it may have answered
	// already, so it is for the goroutine that reads the answer to close the connection.
	if p.failure() != nil {
		p.writing.Lock()
		defer p.writing.Unlock()
		p.pod.close()
	}
}

// send moves spans of the body to the pod. With wait set it goes on to the end of the body, else until it would have to
// wait.
func (p *bodyPump) send(wait bool) error {
	for {
		if !wait && !p.takesMore() {
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
			p.x.guard.extend(p.x.answerBy())
			span, err = p.x.nextBody(true)
		}
		if err == io.EOF {
			return p.finish(wait)
		}
		if err != nil {
			return p.fail(err)
		}
		if err := p.write(span); err != nil {
			return err
		}
	}
}

// takesMore reports whether another span can be sent without waiting, for the pod or for another one.
func (p *bodyPump) takesMore() bool {
	p.writing.Lock()
	defer p.writing.Unlock()
	return !p.refused && p.pod.takes(http1.BufferSize)
}

// write sends a span. That the pod does not take it is no failure while all of the body is kept: there may be another pod,
// which is waited for before more is read than that.
func (p *bodyPump) write(span []byte) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	for p.refused && !p.over && len(p.kept.bytes)+len(span) > keptBody {
		p.another.Wait()
	}
	p.keep(span)
	return p.forgive(p.pod.write(span))
}

func (p *bodyPump) keep(span []byte) {
	if p.keeps && !p.isLong && !p.kept.add(span, p.x.Account) {
		p.isLong = true
		p.kept.drop()
	}
}

func (p *bodyPump) forgive(err error) error {
	if err == nil || !p.keeps || p.isLong {
		return err
	}
	p.refused = true
	return nil
}

func (p *bodyPump) flush() error {
	p.writing.Lock()
	defer p.writing.Unlock()
	return p.forgive(p.pod.flush())
}

// finish sends what follows the body. With flush set nobody else will see to it that it goes out.
func (p *bodyPump) finish(flush bool) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.read.Store(true)
	return p.forgive(p.end(flush))
}

func (p *bodyPump) end(flush bool) error {
	err := p.pod.end(p.x.source.body.Trailers())
	if err == nil && flush {
		err = p.pod.flush()
	}
	p.sent.Store(err == nil)
	return err
}

// fail notes that the body could not be read from the client.
func (p *bodyPump) fail(err error) error {
	p.failing.Lock()
	defer p.failing.Unlock()
	p.clientErr = err
	return err
}

// failure is why the body could not be read from the client, nil if it could. It means nothing after stop, which makes
// the reading fail.
func (p *bodyPump) failure() error {
	p.failing.Lock()
	defer p.failing.Unlock()
	return p.clientErr
}

// isRunning reports whether the goroutine has yet to be waited for, so that what is left of the body is not for anybody else
// to read.
func (p *bodyPump) isRunning() bool { return p.started }

// isRead reports whether the whole body was read from the client.
func (p *bodyPump) isRead() bool { return p.read.Load() }

// isDone reports whether nothing of the request is on its way to a pod.
func (p *bodyPump) isDone() bool { return p.x == nil || p.isSent() }

// isSent reports whether the whole body was written to the pod.
func (p *bodyPump) isSent() bool { return p.sent.Load() }

// keepForAnother reports whether the body can be sent from its beginning: nothing was read of it, or what was is kept. Then
// no more is read than is kept until begin is called with another pod, or stop.
func (p *bodyPump) keepForAnother() bool {
	p.writing.Lock()
	defer p.writing.Unlock()
	if p.x == nil || p.x.req.Body == http1.BodyNone {
		return true
	}
	p.refused = p.keeps && !p.isLong
	return p.refused
}

// takeBack keeps a body that was sent whole, not in chunks, and did not arrive.
func (p *bodyPump) takeBack(body []byte) {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.kept.drop()
	p.keeps, p.isLong = true, !p.kept.add(body, p.x.Account)
}

// dropKept is called when a pod has begun to respond: there will be no other one. It does not wait for a pod that takes no
// more of the body: then what is kept stays until the response has ended.
func (p *bodyPump) dropKept() {
	if !p.keeps || !p.writing.TryLock() { // only the goroutine of the exchange changes keeps
		return
	}
	defer p.writing.Unlock()
	p.keeps = false
	p.kept.drop()
}

// join waits for the goroutine, which has sent the body whole.
func (p *bodyPump) join() {
	p.started = false
	p.running.Wait()
}

// stop ends the goroutine, if it runs, and waits for it. The connection to the pod was closed before.
func (p *bodyPump) stop() {
	if !p.started {
		return
	}
	if !p.isRead() {
		p.x.source.interrupt()
	}
	p.endWait()
	p.join()
}

// endWait lets go of a goroutine that waits for another pod.
func (p *bodyPump) endWait() {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.over = true
	p.another.Broadcast()
}

// reset forgets the last request.
func (p *bodyPump) reset() {
	p.x, p.pod, p.clientErr = nil, nil, nil
	p.keeps, p.isLong, p.refused, p.over = false, false, false, false
	p.kept.drop()
}
