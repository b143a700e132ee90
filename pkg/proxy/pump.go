package proxy

import (
	"io"
	"sync"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// bodyPump sends the body of a request to the pod. What has arrived goes out with the head; the rest is sent by a
// goroutine of its own, because the pod may answer meanwhile, and may wait for the answer to be read before it takes
// more.
type bodyPump struct {
	x    *exchange
	conn *upstream.Conn
	out  http1.Output // of the goroutine

	read    atomic.Bool // the whole body was read from the client
	sent    atomic.Bool // and written to the pod
	running sync.WaitGroup
	started bool // the goroutine was started, and not waited for

	mu        sync.Mutex
	clientErr error // reading from the client failed
}

func (p *bodyPump) begin(x *exchange, conn *upstream.Conn) {
	p.x, p.conn = x, conn
	p.read.Store(x.req.Body == http1.BodyNone)
	p.sent.Store(x.req.Body == http1.BodyNone)
	p.started, p.clientErr = false, nil
}

// sendBuffered adds what has arrived of the body to the output of the exchange.
func (p *bodyPump) sendBuffered() error {
	if p.isSent() {
		return nil
	}
	err := p.send(&p.x.out, false)
	p.sent.Store(p.isRead())
	return err
}

// sendRest starts the goroutine if the body has not been sent whole.
func (p *bodyPump) sendRest() {
	if p.isSent() {
		return
	}
	p.started = true
	p.running.Go(p.run)
}

func (p *bodyPump) run() {
	err := p.send(&p.out, true)
	if err == nil {
		err = p.out.Flush(p.conn)
	}
	p.out.Drop()
	if err == nil {
		p.sent.Store(true)
		p.x.guard.extend(p.x.answerBy())
		return
	}
	// The pod does not get the rest of what it was promised. Unless the client is to blame it may have answered
	// already, so it is for the goroutine that reads the answer to close the connection.
	if p.failure() != nil {
		p.conn.Close()
	}
}

// send moves spans of the body to the pod by way of out. With wait set it goes on to the end of the body, else until
// it would have to wait.
func (p *bodyPump) send(out *http1.Output, wait bool) error {
	for {
		span, err := p.x.down.nextBody(false)
		if err == http1.ErrIncomplete {
			if !wait {
				return nil
			}
			if err := out.Flush(p.conn); err != nil {
				return err
			}
			p.x.guard.extend(p.x.answerBy())
			span, err = p.x.down.nextBody(true)
		}
		if err == io.EOF {
			p.read.Store(true)
			p.finish(out)
			return nil
		}
		if err != nil {
			return p.fail(err)
		}
		if err := p.write(out, span); err != nil {
			return err
		}
	}
}

func (p *bodyPump) write(out *http1.Output, span []byte) error {
	if p.x.req.Body == http1.BodyChunked {
		return out.WriteChunk(p.conn, span)
	}
	return out.Write(p.conn, span)
}

// finish writes what follows a chunked body.
func (p *bodyPump) finish(out *http1.Output) {
	if p.x.req.Body != http1.BodyChunked {
		return
	}
	out.Begin()
	out.Buf = http1.AppendBodyEnd(out.Buf, p.x.down.trailers(), &p.x.req.Message)
}

// take gives the next span to whoever sends the body in this pump's stead. It waits.
func (p *bodyPump) take() ([]byte, error) {
	span, err := p.x.down.nextBody(true)
	if err == io.EOF {
		p.read.Store(true)
		p.sent.Store(true)
	} else if err != nil {
		err = p.fail(err)
	}
	p.x.guard.extend(p.x.answerBy())
	return span, err
}

// fail notes that the body could not be read from the client.
func (p *bodyPump) fail(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clientErr = err
	return err
}

// failure is why the body could not be read from the client, nil if it could. It means nothing after stop, which makes
// the reading fail.
func (p *bodyPump) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clientErr
}

// isActive reports whether an attempt has begun to send the body, so that its rest is not for anybody else to read.
func (p *bodyPump) isActive() bool { return p.x != nil }

// isRead reports whether the whole body was read from the client.
func (p *bodyPump) isRead() bool { return p.read.Load() }

// isSent reports whether the whole body was written to the pod.
func (p *bodyPump) isSent() bool { return p.sent.Load() }

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
		p.x.down.interruptBody()
	}
	p.join()
}

// reset forgets the last request.
func (p *bodyPump) reset() { p.x, p.conn = nil, nil }
