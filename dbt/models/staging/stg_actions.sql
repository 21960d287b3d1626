with source as (

    select * from {{ source('lake', 'actions') }}

),

renamed as (

    select
        source,
        symbol,
        session_date,
        kind,
        amount,
        known_at::timestamptz as known_at,
        known_at_basis
    from source

),

accepted as (

    {{ accepted_versions('renamed', 'actions', ['source', 'symbol', 'session_date', 'kind']) }}

)

select * from accepted
where amount is not null
order by symbol, session_date, kind
