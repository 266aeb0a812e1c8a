-- Shows server migration in QUIC (Specs/server-migration.md) in Wireshark and tshark: the frames 0x32 to 0x34,
-- 0x1d5845e2 and 0x1d5845e3, and the transport parameters 0x0064 and 0xff0969d85c.
--
-- Wireshark's QUIC dissector has no table in which others could register frame types. It shows a type that it
-- doesn't know as "Unknown", and then takes the bytes of that frame for frames of their own. So this runs after
-- it, looks up where the first type of ours was in the decrypted packet, and reads the packet again from there to
-- its end. What the QUIC dissector shows behind "Unknown" is void.

local migration = Proto("server_migration", "QUIC Server Migration")

local TYPE = {
    SERVER_MIGRATION = 0x32,
    SERVER_MIGRATED = 0x33,
    POOL_MIGRATION_ADDRESS = 0x34,
    ALTERNATIVE_V4_ADDRESS = 0x1d5845e2,
    ALTERNATIVE_V6_ADDRESS = 0x1d5845e3,
}
local NAME = {}
for name, number in pairs(TYPE) do NAME[number] = name end

local SUITE, ALTERNATIVE_ADDRESS = 0x0064, 0xff0969d85c

local fields = {
    frame = ProtoField.none("server_migration.frame", "Frame"),
    kind = ProtoField.uint32("server_migration.frame.type", "Type", base.HEX, NAME),
    v4 = ProtoField.ipv4("server_migration.ipv4.address", "IPv4 Address"),
    v4_port = ProtoField.uint16("server_migration.ipv4.port", "IPv4 Port"),
    v6 = ProtoField.ipv6("server_migration.ipv6.address", "IPv6 Address"),
    v6_port = ProtoField.uint16("server_migration.ipv6.port", "IPv6 Port"),
    preferred = ProtoField.bool("server_migration.preferred", "Preferred", 8, nil, 0x80),
    retire = ProtoField.bool("server_migration.retire", "Retire", 8, nil, 0x40),
    sequence = ProtoField.uint64("server_migration.sequence_number", "Status Sequence Number"),
    other = ProtoField.string("server_migration.other", "Other Frames"),
    suite = ProtoField.uint64("server_migration.suite", "server_migration_suite", base.HEX),
    explicit = ProtoField.bool("server_migration.suite.explicit", "Explicit", 8, nil, 0x01),
    pool = ProtoField.bool("server_migration.suite.pool", "Pool of Addresses", 8, nil, 0x02),
    symmetric = ProtoField.bool("server_migration.suite.symmetric", "Symmetric", 8, nil, 0x04),
    synchronized = ProtoField.bool(
        "server_migration.suite.synchronized_symmetric", "Synchronized Symmetric", 8, nil, 0x08),
    extended = ProtoField.bool("server_migration.suite.extended", "The extension", 8, nil, 0x10),
    alternative = ProtoField.bool("server_migration.alternative_address", "alternative_address"),
}
migration.fields = fields

local experts = {
    misread = ProtoExpert.new(
        "server_migration.misread", "The QUIC dissector doesn't know this type: what it shows behind it is void",
        expert.group.UNDECODED, expert.severity.NOTE),
    cut_off = ProtoExpert.new(
        "server_migration.cut_off", "A frame is cut off", expert.group.MALFORMED, expert.severity.ERROR),
    unknown = ProtoExpert.new(
        "server_migration.unknown", "A frame type that isn't known here either", expert.group.UNDECODED,
        expert.severity.NOTE),
    malformed = ProtoExpert.new(
        "server_migration.parameter", "The value is malformed", expert.group.MALFORMED, expert.severity.ERROR),
}
migration.experts = experts

local frame_type = Field.new("quic.frame_type")
local parameter = Field.new("tls.quic.parameter.type")

-- Bytes

-- A place in a Tvb. Reading past the end raises CUT_OFF.
local CUT_OFF = {}
local Cursor = {}
Cursor.__index = Cursor

function Cursor.new(tvb, offset)
    return setmetatable({ tvb = tvb, offset = offset }, Cursor)
end

function Cursor:left()
    return self.tvb:len() - self.offset
end

function Cursor:take(count)
    if count > self:left() then error(CUT_OFF, 0) end
    local range = count > 0 and self.tvb(self.offset, count) or nil
    self.offset = self.offset + count
    return range
end

-- A variable-length integer as a number, which is exact below 2^53, its bytes, and the whole value.
function Cursor:varint()
    if self:left() < 1 then error(CUT_OFF, 0) end
    local first = self.tvb(self.offset, 1):uint()
    local count = first < 64 and 1 or first < 128 and 2 or first < 192 and 4 or 8
    local range = self:take(count)
    local high, low = 0, first % 64
    if count == 2 then
        low = low * 256 + range(1, 1):uint()
    elseif count == 4 then
        low = range:uint() % 0x40000000
    elseif count == 8 then
        high, low = range(0, 4):uint() % 0x40000000, range(4, 4):uint()
    end
    return high * 0x100000000 + low, range, UInt64.new(low, high)
end

function Cursor:skip_varints(count)
    for _ = 1, count do self:varint() end
end

function Cursor:skip_prefixed()
    self:take((self:varint()))
end

-- The frames of RFC 9000 and RFC 9221, which only have to be passed over.

local function stream(cursor, kind)
    cursor:skip_varints(kind % 8 >= 4 and 2 or 1)
    if kind % 4 >= 2 then cursor:skip_prefixed() else cursor:take(cursor:left()) end
end

local function ack(cursor, kind)
    cursor:skip_varints(2)
    local ranges = cursor:varint()
    -- No more than fit, whatever the number says.
    for _ = 1, 1 + 2 * math.min(ranges, cursor:left()) do cursor:varint() end
    if kind == 0x03 then cursor:skip_varints(3) end
end

local function new_connection_id(cursor)
    cursor:skip_varints(2)
    cursor:take(cursor:take(1):uint() + 16)
end

local function padding(cursor)
    while cursor:left() > 0 and cursor.tvb(cursor.offset, 1):uint() == 0 do cursor:take(1) end
end

local function integers(count)
    return function(cursor) cursor:skip_varints(count) end
end

local function bytes(integer_count)
    return function(cursor)
        cursor:skip_varints(integer_count)
        cursor:skip_prefixed()
    end
end

local function path_data(cursor) cursor:take(8) end
local function nothing() end

local PLAIN = {
    [0x00] = { "PADDING", padding }, [0x01] = { "PING", nothing }, [0x02] = { "ACK", ack }, [0x03] = { "ACK", ack },
    [0x04] = { "RESET_STREAM", integers(3) }, [0x05] = { "STOP_SENDING", integers(2) },
    [0x06] = { "CRYPTO", bytes(1) }, [0x07] = { "NEW_TOKEN", bytes(0) },
    [0x10] = { "MAX_DATA", integers(1) }, [0x11] = { "MAX_STREAM_DATA", integers(2) },
    [0x12] = { "MAX_STREAMS", integers(1) }, [0x13] = { "MAX_STREAMS", integers(1) },
    [0x14] = { "DATA_BLOCKED", integers(1) }, [0x15] = { "STREAM_DATA_BLOCKED", integers(2) },
    [0x16] = { "STREAMS_BLOCKED", integers(1) }, [0x17] = { "STREAMS_BLOCKED", integers(1) },
    [0x18] = { "NEW_CONNECTION_ID", new_connection_id }, [0x19] = { "RETIRE_CONNECTION_ID", integers(1) },
    [0x1a] = { "PATH_CHALLENGE", path_data }, [0x1b] = { "PATH_RESPONSE", path_data },
    [0x1c] = { "CONNECTION_CLOSE", bytes(2) }, [0x1d] = { "CONNECTION_CLOSE", bytes(1) },
    [0x1e] = { "HANDSHAKE_DONE", nothing },
    [0x30] = { "DATAGRAM", function(cursor) cursor:take(cursor:left()) end }, [0x31] = { "DATAGRAM", bytes(0) },
}
for kind = 0x08, 0x0f do PLAIN[kind] = { "STREAM", stream } end

-- Frames of ours. Each returns what to say of it in the list of packets.

local function endpoint(host, port, is_v6)
    return string.format(is_v6 and "[%s]:%d" or "%s:%d", host, port)
end

local function is_zero(range)
    return range:bytes():tohex():find("^0*$") ~= nil
end

local function add_address(tree, cursor, is_v6)
    local host, port = cursor:take(is_v6 and 16 or 4), cursor:take(2)
    tree:add(is_v6 and fields.v6 or fields.v4, host)
    tree:add(is_v6 and fields.v6_port or fields.v4_port, port)
    if is_zero(host) and port:uint() == 0 then return nil end
    return endpoint(tostring(is_v6 and host:ipv6() or host:ipv4()), port:uint(), is_v6)
end

local function migration_address(tree, cursor)
    local v4, v6 = add_address(tree, cursor, false), add_address(tree, cursor, true)
    if not v4 and not v6 then return "without an address" end
    return table.concat({ v4 or v6, v4 and v6 }, " ")
end

local function alternative_address(tree, cursor, kind)
    local flags = cursor:take(1)
    tree:add(fields.preferred, flags)
    tree:add(fields.retire, flags)
    local _, range, number = cursor:varint()
    tree:add(fields.sequence, range, number)
    local address = add_address(tree, cursor, kind == TYPE.ALTERNATIVE_V6_ADDRESS) or "without an address"
    local words = { address, "seq=" .. tostring(number) }
    if flags:uint() >= 0x80 then words[#words + 1] = "preferred" end
    if flags:uint() % 0x80 >= 0x40 then words[#words + 1] = "retire" end
    return table.concat(words, " ")
end

local OURS = {
    [TYPE.SERVER_MIGRATION] = migration_address,
    [TYPE.SERVER_MIGRATED] = function() return "" end,
    [TYPE.POOL_MIGRATION_ADDRESS] = migration_address,
    [TYPE.ALTERNATIVE_V4_ADDRESS] = alternative_address,
    [TYPE.ALTERNATIVE_V6_ADDRESS] = alternative_address,
}

local function add_frame(tree, cursor, kind, kind_range, start, pinfo)
    local item = tree:add(fields.frame, cursor.tvb(start, 1))
    item:add(fields.kind, kind_range, kind)
    local text = OURS[kind](item, cursor, kind)
    text = text == "" and NAME[kind] or NAME[kind] .. " " .. text
    item:set_text(text)
    item:set_len(cursor.offset - start)
    pinfo.cols.info:append(", " .. text)
    return item
end

-- Reads a decrypted packet from the first frame of ours on.
local function add_packet(tree, cursor, pinfo)
    local others, is_first = {}, true
    while cursor:left() > 0 do
        local start = cursor.offset
        local kind, kind_range = cursor:varint()
        if OURS[kind] then
            local item = add_frame(tree, cursor, kind, kind_range, start, pinfo)
            if is_first then item:add_proto_expert_info(experts.misread) end
            is_first = false
        elseif PLAIN[kind] then
            PLAIN[kind][2](cursor, kind)
            others[#others + 1] = PLAIN[kind][1]
        else
            tree:add_proto_expert_info(experts.unknown)
            break
        end
    end
    if #others > 0 then tree:add(fields.other, table.concat(others, ", ")):set_generated() end
end

-- Where the first frame of ours is in each decrypted packet of this datagram. Offsets rise within a packet, and
-- start from 0 in each. Behind a type that the QUIC dissector doesn't know, none of its offsets can be trusted.
local function first_frames()
    local found, last, is_readable = {}, -1, true
    for _, info in ipairs({ frame_type() }) do
        if info.offset <= last then is_readable = true end
        last = info.offset
        local kind = info.value:tonumber()
        if is_readable and OURS[kind] then found[#found + 1] = info end
        if is_readable and (OURS[kind] or info.display:find("^Unknown")) then is_readable = false end
    end
    return found
end

-- Transport parameters

local function add_suite(tree, cursor, length)
    local value_start = cursor.offset
    local _, range, value = cursor:varint()
    local item = tree:add(fields.suite, range, value)
    if cursor.offset - value_start ~= length then item:add_proto_expert_info(experts.malformed) end
    local last = range(range:len() - 1, 1)
    for _, name in ipairs({ "explicit", "pool", "symmetric", "synchronized", "extended" }) do
        item:add(fields[name], last)
    end
end

local function add_parameter(tree, info)
    local cursor = Cursor.new(info.source, info.offset)
    local start = cursor.offset
    local id = cursor:varint()
    local length = cursor:varint()
    if length > cursor:left() then error(CUT_OFF, 0) end
    if id == SUITE then
        add_suite(tree(), cursor, length)
    elseif id == ALTERNATIVE_ADDRESS then
        local item = tree():add(fields.alternative, info.source(start, cursor.offset - start), true)
        if length > 0 then item:add_proto_expert_info(experts.malformed) end
    end
end

-- The tree is there only when there is something to show.
local function lazy_tree(root)
    local tree
    return function()
        tree = tree or root:add(migration)
        return tree
    end
end

local function guarded(tree, body)
    local is_good, problem = pcall(body)
    if is_good then return end
    if problem ~= CUT_OFF then error(problem, 0) end
    tree():add_proto_expert_info(experts.cut_off)
end

function migration.dissector(_, pinfo, root)
    local tree = lazy_tree(root)
    for _, info in ipairs({ parameter() }) do
        guarded(tree, function() add_parameter(tree, info) end)
    end
    for _, info in ipairs(first_frames()) do
        guarded(tree, function() add_packet(tree(), Cursor.new(info.source, info.offset), pinfo) end)
    end
end

register_postdissector(migration)
