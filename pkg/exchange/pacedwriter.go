package exchange

import (
	"errors"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// pacedWriter limits the bandwidth of a response. While it waits, no more is read from the pod, so memory stays bounded. The
// bytes of one second may be sent without a pause, as with limit_rate of nginx.
type pacedWriter struct {
	Downstream
	limit *model.ResponseRate
	start time.Time
	sent  int64
}

// maxPause bounds a pause, so that a client that has gone is noticed.
const maxPause = 250 * time.Millisecond

var errClientGone = errors.New("exchange: the client has disconnected")

// WriteBody implements Downstream.
func (w *pacedWriter) WriteBody(span []byte) error {
	if w.start.IsZero() {
		w.start = time.Now()
	}
	for len(span) > 0 {
		allowed := w.limit.After + w.limit.BytesPerSecond + w.earned() - w.sent
		step := min(int64(len(span)), max(w.limit.BytesPerSecond/8, 1)) // smaller writes would keep timers busy
		if allowed < step {
			if err := w.pause(step - allowed); err != nil {
				return err
			}
			continue
		}
		n := min(int64(len(span)), allowed)
		if err := w.Downstream.WriteBody(span[:n]); err != nil {
			return err
		}
		w.sent += n
		span = span[n:]
	}
	return nil
}

// earned returns the number of bytes that the time since the start allows.
func (w *pacedWriter) earned() int64 {
	return int64(time.Since(w.start).Seconds() * float64(w.limit.BytesPerSecond))
}

// pause waits until the missing bytes may be sent, or for maxPause.
func (w *pacedWriter) pause(missing int64) error {
	if err := w.Flush(); err != nil {
		return err
	}
	if w.IsClientGone() {
		return errClientGone
	}
	seconds := float64(missing) / float64(w.limit.BytesPerSecond)
	<-time.After(min(max(time.Duration(seconds*float64(time.Second)), time.Millisecond), maxPause))
	return nil
}
