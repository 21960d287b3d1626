with source as (

    select * from {{ source('lake', 'universe') }}

),

renamed as (

    select
        source,
        universe,
        symbol,
        member_from,
        member_until,
        known_at::timestamptz as known_at
    from source

),

accepted as (

    {{ accepted_versions('renamed', 'universe', ['source', 'universe', 'symbol', 'member_from']) }}

)

select * from accepted
order by universe, symbol, member_from
