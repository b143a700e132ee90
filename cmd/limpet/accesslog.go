package main

import (
	"strings"

	"github.com/limpet-dev/limpet/pkg/observe"
)

// accessOptions are the flags about the access log.
type accessOptions struct {
	isEnabled bool
	fields    accessFields
	ratio     ratio
}

func (o *accessOptions) register(f flagSet) {
	f.BoolVar(&o.isEnabled, "access-log", true, "Write a line for each request to standard output.")
	f.Var(&o.fields, "access-log-fields", "The comma-separated `fields` of the access log, in JSON format: "+
		strings.Join(observe.AccessFieldNames(), ", ")+". If empty, it has all.")
	o.ratio = 1
	f.Var(&o.ratio, "access-log-sample-ratio", "The share of requests to write to the access log, from 0 to 1. Requests that"+
		" failed or have a status from 500 on are always written.")
}

// validate fails if a flag has no effect with the others.
func (o *accessOptions) validate(format string) error {
	switch {
	case len(o.fields.names) > 0 && format != "json":
		return usagef("--access-log-fields requires --log-format=json, because the text format has fixed fields")
	case !o.isEnabled && (len(o.fields.names) > 0 || o.ratio != 1):
		return usagef("--access-log-fields and --access-log-sample-ratio have no effect with --access-log=false")
	}
	return nil
}

func (o *accessOptions) observe(format string) observe.AccessLogOptions {
	return observe.AccessLogOptions{JSON: format == "json", Fields: o.fields.set, OmitRatio: 1 - float64(o.ratio)}
}

// accessFields is the flag of a list of fields of the access log.
type accessFields struct {
	names []string
	set   observe.AccessFields
}

func (a *accessFields) String() string { return strings.Join(a.names, ",") }

// Type names the kind of value in the help text, as pflag wants.
func (*accessFields) Type() string { return "fields" }

func (a *accessFields) Set(s string) error {
	if s == "" {
		*a = accessFields{}
		return nil
	}
	names := strings.Split(s, ",")
	set, err := observe.ParseAccessFields(names)
	if err != nil {
		return err
	}
	*a = accessFields{names, set}
	return nil
}
