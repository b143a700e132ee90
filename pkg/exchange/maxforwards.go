package exchange

import (
	"net/http"
	"strconv"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
)

var maxForwardsName = []byte("Max-Forwards")

// optionsReached is the response to an OPTIONS request that must not be forwarded any further.
var optionsReached = (&filter.Response{Status: http.StatusOK}).With([]byte("Allow"), []byte(filter.AllowedMethods))

// maxForwards applies Max-Forwards to an OPTIONS request (RFC 9110 section 7.6.2). It returns the response at zero, and
// decrements greater values. TRACE requests are refused before. A value that is not one number is forwarded unchanged.
func (r *request) maxForwards() *filter.Response {
	if !r.req.Has(http1.FieldMaxForwards) || string(r.req.Method) != http.MethodOptions {
		return nil
	}
	n, err := strconv.ParseUint(string(r.req.Get(http1.FieldMaxForwards)), 10, 31)
	if err != nil || r.req.IsRepeated(http1.FieldMaxForwards) {
		return nil
	}
	if n == 0 {
		return optionsReached
	}
	r.req.Set(maxForwardsName, strconv.AppendUint(nil, n-1, 10))
	return nil
}
