# SPDX-License-Identifier: BSD-2-Clause
# For puma: what a request does stands in WORK, as sleep:MS or compute:MS.

what, ms = ENV.fetch("WORK").split(":")
seconds = ms.to_f / 1000

def count_to(number)
  i = 0
  i += 1 while i < number
end

# the fastest of some tries
per_second = Array.new(10) do
  start = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID)
  count_to(200_000)
  200_000 / (Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) - start)
end.max

run(lambda do |_|
  what == "sleep" ? sleep(seconds) : count_to(per_second * seconds)
  [200, { "Content-Length" => "6" }, ["hello\n"]]
end)
