// SPDX-License-Identifier: BSD-2-Clause

// An HTTP server with a thread for each connection. usage: server PORT WHAT MS, where WHAT is done in each request: free: compute
// for MS milliseconds; shared: likewise, as the one writer of a shared mutex.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>

static std::shared_mutex model;
static volatile double sink;
static long count;
static std::string what;

static void work(long until)
{
	double sum = 0;

	for (long i = 0; i < until; i++)
		sum += std::sqrt(static_cast<double>(i));
	sink = sum;
}

// How far work() counts in a millisecond: the fastest of some tries.
static double calibrate()
{
	double best_ms = 1e9;

	for (int i = 0; i < 20; i++) {
		auto start = std::chrono::steady_clock::now();

		work(1000000);
		best_ms = std::min(best_ms, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
	}
	return 1000000 / best_ms;
}

static void answer()
{
	if (what == "shared") {
		std::unique_lock lock(model);

		work(count);
	} else {
		work(count);
	}
}

static void serve(int connection)
{
	static const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
	char buffer[4096];

	while (read(connection, buffer, sizeof(buffer)) > 0) {
		answer();
		if (write(connection, text.data(), text.size()) < 0)
			break;
	}
	close(connection);
}

int main(int, char **arguments)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, connection;
	sockaddr_in address = {};

	what = arguments[2];
	count = static_cast<long>(atof(arguments[3]) * calibrate());
	address.sin_family = AF_INET;
	address.sin_port = htons(static_cast<uint16_t>(atoi(arguments[1])));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, reinterpret_cast<sockaddr *>(&address), sizeof(address)) || listen(listener, 1024))
		return 1;
	while ((connection = accept(listener, nullptr, nullptr)) >= 0) {
		setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		std::thread(serve, connection).detach();
	}
	return 1;
}
