package filter

import (
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// Headers sets and removes header fields of requests and responses. It replaces the fields of the client and of the app.
type Headers struct {
	request  []http1.Field
	response []responseField
}

// responseField is a field with its name as a string, to compare it without an allocation.
type responseField struct {
	name  string
	field http1.Field
}

// NewHeaders returns a filter for these changes, or nil if m is nil.
func NewHeaders(m *model.HeaderChanges) Filter {
	if m == nil {
		return nil
	}
	f := &Headers{}
	for i := range m.Request {
		f.request = append(f.request, fieldOf(&m.Request[i]))
	}
	f.request = f.request[:len(f.request):len(f.request)] // requests share it
	for i := range m.Response {
		f.response = append(f.response, responseField{m.Response[i].Name, fieldOf(&m.Response[i])})
	}
	return f
}

func fieldOf(m *model.HeaderField) http1.Field {
	name := []byte(m.Name)
	return http1.Field{Name: name, Value: []byte(m.Value), ID: http1.NameID(name)}
}

// Name implements Filter.
func (*Headers) Name() string { return "headers" }

// FilterRequest implements RequestFilter.
func (f *Headers) FilterRequest(r *Request) *Response {
	for i := range f.request {
		r.SetField(f.request[i].Name, f.request[i].Value)
	}
	return nil
}

// FilterResponse implements ResponseFilter.
func (f *Headers) FilterResponse(_ *Request, head *http1.Response) {
	for i := range f.response {
		set := &f.response[i]
		withholdNamed(head, set.name)
		if len(set.field.Value) > 0 {
			head.AddField(set.field)
		}
	}
}

// withholdNamed withholds all fields with that name.
func withholdNamed(head *http1.Response, name string) {
	for i := range head.Fields {
		if http1.EqualFold(head.Fields[i].Name, name) {
			head.Withhold(i)
		}
	}
}
