// SPDX-License-Identifier: BSD-2-Clause

// An HTTP server of goroutines that compute in each request. usage: server [OPTION]... PORT
package main

import (
	"flag"
	"io"
	"math"
	"math/rand"
	"net/http"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

func work(count int) (sum float64) {
	for i := 0; i < count; i++ {
		sum += math.Sqrt(float64(i))
	}
	return sum
}

// How far work() counts in a millisecond: the fastest of some tries.
func countPerMs() float64 {
	const count = 1000000
	best, sum := time.Hour, 0.0
	for i := 0; i < 20; i++ {
		start := time.Now()
		sum += work(count)
		if took := time.Since(start); took < best {
			best = took
		}
	}
	if math.IsNaN(sum) { // it is used, so that no loop is left out
		panic(sum)
	}
	return count / (best.Seconds() * 1000)
}

// Pages of a file, in memory as far as that suffices.
func pagesOf(path string) []byte {
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	info, err := file.Stat()
	if err != nil {
		panic(err)
	}
	pages, err := syscall.Mmap(int(file.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	if err := syscall.Madvise(pages, syscall.MADV_RANDOM); err != nil {
		panic(err)
	}
	return pages
}

func lookUp(pages []byte) (sum int) {
	for i := 0; i < 16; i++ {
		sum += int(pages[rand.Intn(len(pages))])
	}
	return sum
}

func ask(client *http.Client, url string) {
	answer, err := client.Get(url)
	if err != nil {
		panic(err)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
}

func main() {
	compute := flag.Float64("compute", 0, "milliseconds of computing in each request")
	lock := flag.Bool("lock", false, "under one mutex")
	hold := flag.Duration("hold", 0, "sleep for so long with it, or without")
	rate := flag.Float64("rate", 0, "let so many requests through a second")
	weights := flag.String("weights", "", "look up pages of this file")
	backend := flag.String("backend", "", "ask this address")
	connections := flag.Int("connections", 0, "over so many connections, 0: as many as are needed")
	flag.Parse()
	var mutex sync.Mutex
	var ticks <-chan time.Time
	if *rate > 0 {
		ticks = time.Tick(time.Duration(float64(time.Second) / *rate))
	}
	var pages []byte
	if *weights != "" {
		pages = pagesOf(*weights)
	}
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: *connections, MaxIdleConnsPerHost: 1000}}
	count := int(countPerMs() * *compute)
	http.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) {
		if *lock {
			mutex.Lock()
			defer mutex.Unlock()
		}
		if ticks != nil {
			<-ticks
		}
		if *backend != "" {
			ask(client, *backend)
		}
		if pages != nil && lookUp(pages) < 0 { // what is looked up is used
			panic(pages)
		}
		time.Sleep(*hold)
		answer.Write([]byte(strconv.FormatFloat(work(count), 'f', 0, 64)))
	})
	panic(http.ListenAndServe("127.0.0.1:"+flag.Arg(0), nil))
}
